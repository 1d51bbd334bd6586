#include "eventstore/sql/functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/base/uuid.hpp"
#include "core/domain/specs.hpp"
#include "eventstore/sql/function_calls.hpp"

namespace slipway::eventstore::sql {
namespace {

using Call = sqlite3_context*;
using Args = sqlite3_value**;

// ---- of the catalog's SELECTs ----

void sw_row(Call call, int, Args) {
  if (!budget_of(call).take_row()) return fail_limit(call);
  give(call, std::int64_t{1});
}

void sw_uuid(Call call, int, Args args) {
  base::Uuid id;
  if (sqlite3_value_bytes(args[0]) != static_cast<int>(id.bytes.size())) return give_null(call);
  std::memcpy(id.bytes.data(), sqlite3_value_blob(args[0]), id.bytes.size());
  char out[base::kUuidTextSize];
  base::format_uuid(id, out);
  give(call, std::string_view(out, sizeof out));
}

// NULL for anything but an id as sw_uuid writes it: nothing else equals one.
void sw_id(Call call, int, Args args) {
  const auto id = base::parse_uuid(text(args[0]));
  if (!id || base::to_string(*id) != text(args[0])) return give_null(call);
  sqlite3_result_blob(call, id->bytes.data(), static_cast<int>(id->bytes.size()), SQLITE_TRANSIENT);
}

void sw_ipv4(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  const std::string out = domain::ipv4_text(static_cast<std::uint32_t>(integer(args[0])));
  give(call, std::string_view(out));
}

// Counting a row is not the same each time, whatever its arguments: else SQLite would call it once.
constexpr Function kInternal[] = {
    {"sw_row", "", 1, 1, Type::Number, sw_row, true},
    {"sw_uuid", "", 1, 1, Type::Text, sw_uuid},
    {"sw_id", "", 1, 1, Type::Unknown, sw_id},
    {"sw_ipv4", "", 1, 1, Type::Text, sw_ipv4},
};

constexpr Function kOthers[] = {
    {"avg", "avg(x)", 1, 1, Type::Number, nullptr, false, FunctionKind::Aggregate},
    {"columns", "columns('table')", 1, 1, Type::Unknown, nullptr, false, FunctionKind::Table},
    {"count", "count(*), count([distinct] x)", 1, 1, Type::Number, nullptr, false,
     FunctionKind::Aggregate},
    {"functions", "functions()", 0, 0, Type::Unknown, nullptr, false, FunctionKind::Table},
    {"max", "max(x)", 1, 1, Type::Unknown, nullptr, false, FunctionKind::Aggregate},
    {"min", "min(x)", 1, 1, Type::Unknown, nullptr, false, FunctionKind::Aggregate},
    {"sum", "sum(x)", 1, 1, Type::Number, nullptr, false, FunctionKind::Aggregate},
    {"tables", "tables()", 0, 0, Type::Unknown, nullptr, false, FunctionKind::Table},
};

bool add(sqlite3* db, const std::string& name, const Function& f, Budget& budget) {
  const int flags = SQLITE_UTF8 | (f.random ? 0 : SQLITE_DETERMINISTIC);
  // The compiler has counted the arguments.
  const int args = f.min_args == f.max_args ? f.min_args : -1;
  return sqlite3_create_function_v2(db, name.c_str(), args, flags, &budget, f.code, nullptr,
                                    nullptr, nullptr) == SQLITE_OK;
}

}  // namespace

std::span<const Function> functions() {
  static const std::vector<Function> kAll = [] {
    std::vector<Function> all;
    for (const auto part :
         {numeric_functions(), text_functions(), std::span<const Function>(kOthers)}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end(),
              [](const Function& a, const Function& b) { return a.name < b.name; });
    return all;
  }();
  return kAll;
}

const Function* find_function(std::string_view name) {
  const auto all = functions();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Function& f) { return f.name == name; });
  return it == all.end() ? nullptr : &*it;
}

bool register_functions(sqlite3* db, Budget& budget) {
  bool ok = true;
  for (const Function& f : kInternal) ok = ok && add(db, std::string(f.name), f, budget);
  for (const auto part :
       {numeric_functions(), text_functions(), arithmetic_operators(), matching_operators()}) {
    for (const Function& f : part) ok = ok && add(db, fmt::format("f_{}", f.name), f, budget);
  }
  return ok;
}

}  // namespace slipway::eventstore::sql
