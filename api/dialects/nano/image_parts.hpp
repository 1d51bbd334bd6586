#pragma once
// What the routes on images and on their files share.
#include "api/dialects/nano/context.hpp"
#include "api/images/image_files.hpp"

namespace slipway::api::nano {

// The image's row, or the client is answered that there is none of that kind.
std::optional<eventstore::ImageRow> find_image(const Call& call, eventstore::Reader& reader,
                                               const Client& client, domain::ImageKind kind);

}  // namespace slipway::api::nano
