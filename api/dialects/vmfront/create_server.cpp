#include "api/dialects/vmfront/create_server.hpp"

#include <fmt/format.h>

#include "api/dialects/vmfront/wire.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api::vmfront {

using base::Errc;
using base::fail;

base::Result<domain::CreateVm> parse_create(std::string_view body, const base::JsonLimits& limits) {
  thread_local base::JsonParser parser(limits);  // of this server's thread
  domain::CreateVm vm;
  struct Field {
    std::string_view name;
    std::string* value;
  };
  const Field fields[] = {{"flavor_name", &vm.flavor},
                          {"image_name", &vm.image},
                          {"network_id", &vm.network},
                          {"virtual_machine_name", &vm.name}};
  std::optional<base::JsonValue> json;
  if (!body.empty()) {
    const auto parsed = parser.parse(body);
    if (!parsed) return fail(Errc::InvalidArgument, "the request body is not valid JSON");
    json = *parsed;
  }
  std::string missing;
  for (const Field& field : fields) {
    const auto value = json ? json->find(field.name) : std::nullopt;
    const auto text = value ? value->string() : std::nullopt;
    if (!text || text->empty()) {
      missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", field.name);
    } else if (text->size() > 255) {
      return fail(Errc::InvalidArgument, fmt::format("{} has more than 255 bytes", field.name));
    } else {
      field.value->assign(*text);
    }
  }
  if (!missing.empty()) {
    return fail(Errc::InvalidArgument,
                fmt::format("the following fields were not provided: [{}]", missing));
  }
  vm.vm = domain::VmId(new_id());
  return vm;
}

eventstore::Answer CreatedServer::render(const eventstore::Accepted&) {
  eventstore::Answer answer;
  answer.task = task_;
  const std::string id = base::to_string(vm_);
  answer.body.reserve(512);
  Writer w(answer.body);
  w.open('{').key("server").open('{').member("id", id);
  write_links(w, host_, "servers", id);
  w.member("OS-DCF:diskConfig", "MANUAL");
  w.member_raw("security_groups", R"([{"name": "default"}])").member("adminPass", "");
  answer.secret = eventstore::Answer::SecretSlot{answer.body.size() - 1, ref_};
  w.close('}').close('}');
  return answer;
}

void CreatedServer::finish(Response& response, const eventstore::Answer&) const {
  response.type = kType;
}

}  // namespace slipway::api::vmfront
