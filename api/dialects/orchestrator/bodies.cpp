#include "api/dialects/orchestrator/bodies.hpp"

#include <fmt/format.h>

#include "api/field_reader.hpp"
#include "api/submit.hpp"

namespace slipway::api::orchestrator {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;

constexpr FieldReader::TextRule kNeeded{.required = true};

// Reads one body by a schema, of which `read` asks for the members.
template <class T, class Read>
base::Result<T> by_schema(const JsonValue& body, Read read) {
  FieldErrors errors;
  FieldReader fields(body, "", errors);
  fields.member("auth_token");
  T out;
  read(fields, out);
  fields.finish();
  if (errors.empty()) return out;
  std::string all;
  const base::Error error = errors.error();
  for (const base::FieldError& e : error.fields) {
    all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", e.pointer.substr(1), e.detail);
  }
  return fail(Errc::InvalidArgument, "Some key doesn't validate the schema - " + all);
}

// What is there must not be empty.
std::string filled(FieldReader& fields, std::string_view name) {
  if (!fields.member(name)) return {};
  return fields.text(name, kNeeded);
}

void read_name(FieldReader& fields, NodeName& out) {
  out.node = filled(fields, "node");
  out.hostname = filled(fields, "hostname");
}

base::Result<NodeName> named(base::Result<NodeName> name) {
  if (name && name->node.empty() && name->hostname.empty()) {
    return fail(Errc::InvalidArgument, "no valid node id nor hostname here");
  }
  return name;
}

}  // namespace

base::Result<domain::CreateVm> parse_start(const JsonValue& body) {
  return by_schema<domain::CreateVm>(body, [](FieldReader& fields, domain::CreateVm& vm) {
    vm.vm = domain::VmId(new_id());
    vm.name = fields.text("name", kNeeded);
    vm.image = fields.text("image", kNeeded);
    vm.flavor = fields.text("size", kNeeded);
    vm.keypair = filled(fields, "keyname");
    vm.labels = fields.labels("metadata");
  });
}

base::Result<NodeName> parse_node(const JsonValue& body) {
  return named(by_schema<NodeName>(body, read_name));
}

base::Result<AssignBody> parse_assign(const JsonValue& body) {
  auto parsed = by_schema<AssignBody>(body, [](FieldReader& fields, AssignBody& out) {
    read_name(fields, out.node);
    out.user = fields.text("user", kNeeded);
    out.vm_type = fields.text("vm_type", kNeeded);
    fields.member("emulate");
  });
  if (!parsed) return parsed;
  if (const auto name = named(parsed->node); !name) return fail(name.error());
  return parsed;
}

base::Result<NodeName> parse_release(const JsonValue& body) {
  return named(by_schema<NodeName>(body, [](FieldReader& fields, NodeName& out) {
    read_name(fields, out);
    fields.member("emulate");
  }));
}

bool asks_to_emulate(const JsonValue& body) {
  const auto flag = body.find("emulate");
  if (!flag) return false;
  if (const auto yes = flag->boolean()) return *yes;
  if (const auto number = flag->number()) return *number != 0;
  const auto text = flag->string();
  if (!text) return flag->size() > 0;
  for (const std::string_view no : {"", "0", "false", "no", "off", "none"}) {
    if (iequals(*text, no)) return false;
  }
  return true;
}

base::Result<Login> parse_login(const JsonValue& body) {
  return by_schema<Login>(body, [](FieldReader& fields, Login& out) {
    out.username = fields.text("username", kNeeded);
    out.password = fields.text("password", {.required = true, .one_line = false});
  });
}

base::Result<JsonValue> parse_body(std::string_view text, const base::JsonLimits& limits) {
  thread_local base::JsonParser parser{limits};
  auto json = parser.parse(text.empty() ? "{}" : text);
  if (!json) {
    if (json.error().code == Errc::MalformedJson) {
      return fail(Errc::MalformedJson, "Malformed JSON stream");
    }
    return fail(json.error());
  }
  if (json->is_object()) return json;
  return fail(Errc::InvalidArgument,
              "Some key doesn't validate the schema - the body must be an object");
}

std::string token_of(const Request& request, const base::JsonLimits& limits) {
  const std::string_view header = request.header("x-auth-token");
  if (!header.empty() || request.body().empty()) return std::string(header);
  const auto body = parse_body(request.body(), limits);
  const auto token = body ? body->find("auth_token") : std::nullopt;
  return std::string(token ? token->string().value_or("") : "");
}

}  // namespace slipway::api::orchestrator
