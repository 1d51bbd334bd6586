#include "eventstore/sql/event_table.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "eventstore/sql/budget.hpp"
#include "eventstore/sql/event_scan.hpp"

namespace slipway::eventstore::sql {
namespace {

constexpr const char* kEvents =
    "CREATE TABLE x(seq INTEGER, time INTEGER, tenant TEXT, actor TEXT, dialect TEXT, "
    "request_id TEXT, correlation TEXT, causation INTEGER, stream TEXT, version INTEGER, "
    "type TEXT, data TEXT, task_id TEXT)";
enum ColumnAt : int {
  kSeq,
  kTime,
  kTenant,
  kActor,
  kDialect,
  kRequestId,
  kCorrelation,
  kCausation,
  kStream,
  kVersion,
  kType,
  kData,
  kTaskId,
};

struct EventTable : sqlite3_vtab {
  EventSource* source = nullptr;
  bool of_tasks = false;
};
struct EventCursor : sqlite3_vtab_cursor {
  std::unique_ptr<EventScan> scan;
  bool at_end = true;
  base::JsonWriter writer;
};
EventTable& table_of(sqlite3_vtab_cursor* cursor) {
  return *static_cast<EventTable*>(cursor->pVtab);
}

// Which constraints xFilter is given, in this order; each takes one argument.
enum Given : unsigned { kFrom = 1, kAfter = 2, kTo = 4, kBefore = 8, kSame = 16, kOfTask = 32 };

template <bool kOfTasks>
int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  const int code = sqlite3_declare_vtab(db, kEvents);
  if (code != SQLITE_OK) return code;
  auto* table = new EventTable();
  table->source = static_cast<EventSource*>(aux);
  table->of_tasks = kOfTasks;
  *out = table;
  return SQLITE_OK;
}
int disconnect(sqlite3_vtab* table) {
  delete static_cast<EventTable*>(table);
  return SQLITE_OK;
}

unsigned given_by(const sqlite3_index_info::sqlite3_index_constraint& c) {
  if (c.iColumn == kTaskId) return c.op == SQLITE_INDEX_CONSTRAINT_EQ ? kOfTask : 0U;
  if (c.iColumn != kSeq) return 0;
  switch (c.op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return kSame;
    case SQLITE_INDEX_CONSTRAINT_GE:
      return kFrom;
    case SQLITE_INDEX_CONSTRAINT_GT:
      return kAfter;
    case SQLITE_INDEX_CONSTRAINT_LE:
      return kTo;
    case SQLITE_INDEX_CONSTRAINT_LT:
      return kBefore;
    default:
      return 0;
  }
}

int best_index(sqlite3_vtab*, sqlite3_index_info* info) {
  unsigned given = 0;
  int arguments = 0;
  // In the order of the bits, as xFilter reads them.
  for (unsigned bit = kFrom; bit <= kOfTask; bit <<= 1U) {
    for (int i = 0; i < info->nConstraint; ++i) {
      if (info->aConstraint[i].usable == 0 || given_by(info->aConstraint[i]) != bit) continue;
      info->aConstraintUsage[i].argvIndex = ++arguments;
      given |= bit;
      break;  // SQLite checks the others itself
    }
  }
  info->idxNum = static_cast<int>(given);
  info->estimatedCost = 1e7;
  if ((given & (kFrom | kAfter | kTo | kBefore)) != 0) info->estimatedCost = 1e6;
  if ((given & (kSame | kOfTask)) != 0) info->estimatedCost = 10;
  const bool by_seq = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == kSeq;
  info->orderByConsumed = by_seq && info->aOrderBy[0].desc == 0 ? 1 : 0;
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new EventCursor();
  return SQLITE_OK;
}
int close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<EventCursor*>(cursor);
  return SQLITE_OK;
}

int fail(sqlite3_vtab* table, const std::string& why) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", why.c_str());
  return SQLITE_ERROR;
}

int next(sqlite3_vtab_cursor* base_cursor) {
  auto& cursor = *static_cast<EventCursor*>(base_cursor);
  EventTable& table = table_of(base_cursor);
  Budget& budget = table.source->budget;
  for (;;) {
    const auto more = cursor.scan->next();
    if (!more) return fail(&table, "the log could not be read");
    cursor.at_end = !*more;
    if (cursor.at_end) return SQLITE_OK;
    // Counted here too: what belongs to other tenants is read before SQLite leaves it out.
    if (!budget.take_row() || !budget.check_time()) return fail(&table, budget.exceeded());
    if (!table.of_tasks || task_of(cursor.scan->event().stream)) return SQLITE_OK;
  }
}

int filter(sqlite3_vtab_cursor* base_cursor, int given, const char*, int, sqlite3_value** values) {
  auto& cursor = *static_cast<EventCursor*>(base_cursor);
  const EventSource& source = *table_of(base_cursor).source;
  std::int64_t first = 1;
  std::int64_t last = static_cast<std::int64_t>(source.last);
  std::optional<domain::TaskId> task;
  int at = 0;
  const auto value = [&](unsigned bit) -> sqlite3_value* {
    return (static_cast<unsigned>(given) & bit) != 0 ? values[at++] : nullptr;
  };
  const auto number = [](sqlite3_value* v) -> std::int64_t { return sqlite3_value_int64(v); };
  // Only whole numbers narrow the scan; SQLite checks every row against what was asked in any case.
  const auto whole = [](sqlite3_value* v) {
    return v != nullptr && sqlite3_value_type(v) == SQLITE_INTEGER;
  };
  if (auto* v = value(kFrom); whole(v)) first = std::max(first, number(v));
  if (auto* v = value(kAfter); whole(v)) first = std::max(first, number(v));
  if (auto* v = value(kTo); whole(v)) last = std::min(last, number(v));
  if (auto* v = value(kBefore); whole(v)) last = std::min(last, number(v));
  if (auto* v = value(kSame); whole(v)) {
    first = std::max(first, number(v));
    last = std::min(last, number(v));
  }
  if (auto* v = value(kOfTask); v != nullptr) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
    const auto id = base::parse_uuid(text == nullptr ? "" : text);
    if (!id) first = std::numeric_limits<std::int64_t>::max();
    task = domain::TaskId(id.value_or(base::Uuid()));
  }
  last = std::max<std::int64_t>(last, 0);
  cursor.scan = std::make_unique<EventScan>(source.log, static_cast<domain::Seq>(first),
                                            static_cast<domain::Seq>(last), task);
  return next(base_cursor);
}

int at_end(sqlite3_vtab_cursor* cursor) {
  return static_cast<EventCursor*>(cursor)->at_end ? 1 : 0;
}

void give(sqlite3_context* out, std::string_view text) {
  sqlite3_result_text(out, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
}
void give(sqlite3_context* out, std::uint64_t number) {
  sqlite3_result_int64(out, static_cast<std::int64_t>(number));
}

int column(sqlite3_vtab_cursor* base_cursor, sqlite3_context* out, int at) {
  auto& cursor = *static_cast<EventCursor*>(base_cursor);
  const domain::Envelope& envelope = cursor.scan->envelope();
  const domain::Event& event = cursor.scan->event();
  switch (at) {
    case kSeq:
      give(out, cursor.scan->seq());
      break;
    case kTime:
      sqlite3_result_int64(out, base::to_us(envelope.time));
      break;
    case kTenant:
      give(out, envelope.tenant);
      break;
    case kActor:
      give(out, envelope.actor);
      break;
    case kDialect:
      give(out, base::enum_name(envelope.dialect));
      break;
    case kRequestId:
      give(out, envelope.request_id);
      break;
    case kCorrelation:
      if (!envelope.correlation.is_nil()) give(out, base::to_string(envelope.correlation));
      break;
    case kCausation:
      if (envelope.causation != 0) give(out, envelope.causation);
      break;
    case kStream:
      give(out, event.stream.text());
      break;
    case kVersion:
      give(out, event.version);
      break;
    case kType:
      give(out, domain::event_type(event.body));
      break;
    case kData:
      cursor.writer.clear();
      std::visit([&](const auto& e) { base::write_json(cursor.writer, e); }, event.body);
      give(out, cursor.writer.view());
      break;
    case kTaskId:
      if (const auto task = task_of(event.stream)) give(out, base::to_string(*task));
      break;
    default:
      break;
  }
  return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(static_cast<EventCursor*>(cursor)->scan->seq());
  return SQLITE_OK;
}

template <bool kOfTasks>
sqlite3_module make_module() {
  sqlite3_module m{};
  m.xConnect = connect<kOfTasks>;  // no xCreate: the table is there without being made
  m.xBestIndex = best_index;
  m.xDisconnect = disconnect;
  m.xOpen = open;
  m.xClose = close;
  m.xFilter = filter;
  m.xNext = next;
  m.xEof = at_end;
  m.xColumn = column;
  m.xRowid = row_id;
  return m;
}

}  // namespace

bool register_event_tables(sqlite3* db, EventSource& source) {
  static const sqlite3_module kAll = make_module<false>();
  static const sqlite3_module kOfTasks = make_module<true>();
  return sqlite3_create_module_v2(db, "sw_events", &kAll, &source, nullptr) == SQLITE_OK &&
         sqlite3_create_module_v2(db, "sw_task_events", &kOfTasks, &source, nullptr) == SQLITE_OK;
}

}  // namespace slipway::eventstore::sql
