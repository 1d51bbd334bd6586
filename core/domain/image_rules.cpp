#include "core/domain/image_rules.hpp"

#include <fmt/format.h>

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

base::Result<const LiveImage*> own_image(const Draft& draft, const Command& command,
                                         const ImageId& id) {
  const LiveImage* image = draft.world.image(id);
  if (image == nullptr || !command.caller.owns(image->image.tenant)) {
    return fail(Errc::NotFound, fmt::format("no image {}", base::to_string(id)));
  }
  return image;
}

}  // namespace

bool is_kept_here(const LiveImage& image) {
  return image.state == ImageState::Queued || (image.image.traits && image.image.traits->stored);
}

bool lies_on(const World& world, const LiveImage& live, std::string_view backend) {
  const Image& image = live.image;
  if (image.backend.empty() || image.backend == backend) return true;
  const auto is_simulated = [&](std::string_view name) {
    const Backend* b = world.backend(name);
    return b != nullptr && b->type == "simulated" && b->face.empty();
  };
  return live.creator.is_nil() && !image.foreign && is_simulated(image.backend) &&
         is_simulated(backend);
}

Status decide_on(Draft& draft, const Command& /*command*/, const RegisterImage& c) {
  if (draft.world.image(c.image.id) != nullptr) {
    return fail(Errc::ResourceBusy, "an image with this id exists");
  }
  draft.add(StreamKind::Image, c.image.id, ImageQueued{c.image});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const UpdateImage& c) {
  const auto found = own_image(draft, command, c.image);
  if (!found) return fail(found.error());
  const Image& image = (*found)->image;
  if (c.kind && image.is_media() != (*c.kind == ImageKind::Media)) {
    return fail(Errc::NotFound, fmt::format("no image {}", base::to_string(c.image)));
  }
  ImageUpdated e{c.name.value_or(image.name), image.traits ? *image.traits : ImageTraits{}};
  if (c.owner) e.traits.owner = *c.owner;
  if (c.group) e.traits.group = *c.group;
  if (c.description) e.traits.description = *c.description;
  if (c.tags) e.traits.tags = *c.tags;
  draft.add(StreamKind::Image, c.image, std::move(e));
  return {};
}

Status decide_on(Draft& draft, const Command& command, const StoreImage& c) {
  const auto found = own_image(draft, command, c.image);
  if (!found) return fail(found.error());
  if (!is_kept_here(**found) || !(*found)->task.is_nil()) {
    return fail(Errc::IllegalTransition, "this image's data is not kept here");
  }
  draft.add(StreamKind::Image, c.image,
            ImageStored{c.size_bytes, c.checksum_md5, c.checksum_sha512});
  return {};
}

Status decide_on(Draft& draft, const Command& /*command*/, const SyncImages& c) {
  for (const Image& image : c.images) {
    if (draft.world.image(image.id) != nullptr) continue;
    draft.add(StreamKind::Image, image.id, ImageRegistered{image});
  }
  return {};
}

}  // namespace slipway::domain
