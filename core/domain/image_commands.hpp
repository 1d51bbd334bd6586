#pragma once
// Commands on images that need no worker: the server keeps the bytes itself. See command.hpp.
#include <optional>
#include <string>
#include <vector>

#include "core/domain/specs.hpp"

namespace slipway::domain {

// QUEUED: an upload will follow.
struct RegisterImage {
  Image image;
};

struct UpdateImage {
  ImageId image;
  std::optional<ImageKind> kind;  // NotFound for one of another kind
  std::optional<std::string> name;
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> tags;
};

// Its bytes have been written to the server's directory, whole and synced.
struct StoreImage {
  ImageId image;
  std::uint64_t size_bytes = 0;
  std::string checksum_md5;
  std::string checksum_sha512;
};

// Files that an operator put into the directory: each is an image from now on.
struct SyncImages {
  std::vector<Image> images;
};

}  // namespace slipway::domain
