#include "api/dialects/nano/guest_commands.hpp"

#include <fmt/format.h>

namespace slipway::api::nano {

using base::Errc;
using base::fail;

base::Result<domain::VmId> guest_id(const Call& call) {
  const auto id = base::parse_uuid(call.params["id"]);
  if (!id) return fail(Errc::NotFound, fmt::format("invalid guest '{}'", call.params["id"]));
  return domain::VmId(*id);
}

base::Result<domain::ImageId> image_id(const Call& call) {
  const auto id = base::parse_uuid(call.params["id"]);
  if (!id) return fail(Errc::NotFound, fmt::format("invalid image '{}'", call.params["id"]));
  return domain::ImageId(*id);
}

void act_on_guest(Context& context, const Call& call, domain::CommandKind kind,
                  const ReadAct& read) {
  const Client client = client_of(call);
  const auto id = guest_id(call);
  if (!id) return client.fail(id.error());
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::ActOnVm act;
  act.kind = kind;
  act.vm = *id;
  if (read) read(body, act);
  if (!errors.empty()) return client.fail(errors.error());
  command_and_wait(context, call, std::move(act));
}

Handler guest_handler(domain::CommandKind kind, ReadAct read) {
  return [kind, read = std::move(read)](Context& context, const Call& call) {
    act_on_guest(context, call, kind, read);
  };
}

std::optional<eventstore::VmRow> find_guest(const Call& call, eventstore::Reader& reader,
                                            const Client& client) {
  const auto id = guest_id(call);
  if (!id) {
    client.fail(id.error());
    return std::nullopt;
  }
  auto found = reader.get_vm(identity_of(call).own_scope(), *id);
  if (!found) {
    client.fail(found.error());
    return std::nullopt;
  }
  if (!found->value || found->value->state == domain::VmState::Deleted) {
    client.fail(Errc::NotFound, fmt::format("invalid guest '{}'", call.params["id"]));
    return std::nullopt;
  }
  return std::move(*found->value);
}

}  // namespace slipway::api::nano
