#include "core/domain/cloud_face.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/crypto.hpp"

namespace slipway::domain {
namespace {

constexpr std::uint32_t kLoopback = 0x7F000000U;  // 127.0.0.0

// Those of libcloud's dummy driver.
constexpr std::array kDummyImages{FaceImage{"1", "Ubuntu 9.10"}, FaceImage{"2", "Ubuntu 9.04"},
                                  FaceImage{"3", "Slackware 4"}};
constexpr std::array kDummySizes{FaceSize{"1", "Small", 128, 4}, FaceSize{"2", "Medium", 512, 16},
                                 FaceSize{"3", "Big", 4096, 32},
                                 FaceSize{"4", "XXL Big", 8192, 128}};
// Both have the one address.
constexpr std::array kDummyNodes{FaceNode{1, kLoopback + 1}, FaceNode{2, kLoopback + 1}};

const CloudFace kDummy{.name = "dummy",
                       .title = "Dummy Node Provider",
                       .images = kDummyImages,
                       .sizes = kDummySizes,
                       .first_nodes = kDummyNodes,
                       .node_prefix = "dummy-",
                       .network_ipv4 = kLoopback,
                       .last_number = 0xFFFFFE,
                       .extra = {"foo", "bar"}};

// By id before by name.
template <class T>
const T* find_in(std::span<const T> all, std::string_view id_or_name) {
  for (const std::string_view T::*member : {&T::id, &T::name}) {
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const T& t) { return t.*member == id_or_name; });
    if (it != all.end()) return &*it;
  }
  return nullptr;
}

}  // namespace

const FaceImage* CloudFace::image(std::string_view id_or_name) const {
  return find_in(images, id_or_name);
}
const FaceSize* CloudFace::size(std::string_view id_or_name) const {
  return find_in(sizes, id_or_name);
}
std::string CloudFace::node_name(std::uint64_t number) const {
  return fmt::format("{}{}", node_prefix, number);
}

const CloudFace* find_face(std::string_view name) {
  return name == kDummy.name ? &kDummy : nullptr;
}

VmId first_node_id(std::string_view backend, std::uint64_t number) {
  const base::Digest digest = base::blake2b(fmt::format("{}/{}", backend, number));
  VmId id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  // Version 8: made of what its maker chose.
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0FU) | 0x80U);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3FU) | 0x80U);
  return id;
}

VmSpec first_node_spec(const CloudFace& face, const FaceNode& node, std::string_view backend) {
  VmSpec spec;
  spec.name = face.node_name(node.number);
  spec.project = backend;
  if (!face.sizes.empty()) spec.size = face.sizes.front().size();
  spec.backend = backend;
  spec.ipv4 = node.ipv4;
  spec.number = node.number;
  return spec;
}

}  // namespace slipway::domain
