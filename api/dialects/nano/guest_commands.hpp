#pragma once
// What the routes on one guest share.
#include "api/dialects/nano/forms.hpp"

namespace slipway::api::nano {

// The {id} of the path; NotFound for what cannot be one.
base::Result<domain::VmId> guest_id(const Call& call);
base::Result<domain::ImageId> image_id(const Call& call);

// A change of a guest that is waited for: reads the body into the command, submits it, answers.
using ReadAct = std::function<void(FieldReader& body, domain::ActOnVm& act)>;
void act_on_guest(Context& context, const Call& call, domain::CommandKind kind,
                  const ReadAct& read);
// A route of that kind.
Handler guest_handler(domain::CommandKind kind, ReadAct read);

// The guest's row, or the client is answered that there is none.
std::optional<eventstore::VmRow> find_guest(const Call& call, eventstore::Reader& reader,
                                            const Client& client);

}  // namespace slipway::api::nano
