#pragma once
// The fixed face of a simulated cloud that plays another: its own images and sizes by small
// numbers, and VMs that it numbers itself and names after their numbers. Constant data; which cloud
// has which face is in its Backend. What comes of it is in the events, so a replay asks nobody
// here.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/domain/specs.hpp"

namespace slipway::domain {

struct FaceImage {
  std::string_view id;
  std::string_view name;
};
struct FaceSize {
  std::string_view id;
  std::string_view name;
  std::uint32_t memory_mb = 0;
  std::uint32_t disk_gb = 0;
  std::uint32_t vcpus = 0;
  Size size() const { return {"", vcpus, memory_mb, disk_gb}; }
};
// A node that is there before anybody asks for one.
struct FaceNode {
  std::uint64_t number = 0;
  std::uint32_t ipv4 = 0;
};

struct CloudFace {
  std::string_view name;
  std::string_view title;  // of the provider, for people
  std::span<const FaceImage> images;
  std::span<const FaceSize> sizes;
  std::span<const FaceNode> first_nodes;
  std::string_view node_prefix;           // node 3 is "<prefix>3"
  std::uint32_t network_ipv4 = 0;         // its address is this plus 3
  std::uint64_t last_number = 0;          // the address range has no room for more
  std::array<std::string_view, 2> extra;  // what is said of every node beside: a key, a value

  const FaceImage* image(std::string_view id_or_name) const;
  const FaceSize* size(std::string_view id_or_name) const;
  std::string node_name(std::uint64_t number) const;
};

// nullptr: there is no such face. "" is none.
const CloudFace* find_face(std::string_view name);

// The id of one of a cloud's first nodes: the cloud and the log know it without a word between
// them.
VmId first_node_id(std::string_view backend, std::uint64_t number);
VmSpec first_node_spec(const CloudFace& face, const FaceNode& node, std::string_view backend);

}  // namespace slipway::domain
