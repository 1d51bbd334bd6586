#pragma once
// For the cloud*.cpp files only: a call in hand, and how refs are spelled.
#include <charconv>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "workers/backends/simulated/cloud.hpp"

namespace slipway::workers::simulated {

inline constexpr std::string_view kVmRef = "sim-";
inline constexpr std::string_view kImageRef = "simimg-";

inline std::string vm_ref(std::int64_t number) { return fmt::format("{}{}", kVmRef, number); }
inline std::string image_ref(std::int64_t number) { return fmt::format("{}{}", kImageRef, number); }

// 0, which is never used, for what is no such ref.
inline std::int64_t number_of(std::string_view ref, std::string_view prefix) {
  if (!ref.starts_with(prefix)) return 0;
  ref.remove_prefix(prefix.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(ref.data(), ref.data() + ref.size(), number);
  return error == std::errc{} && end == ref.data() + ref.size() ? number : 0;
}

// "sim-7/before-upgrade": a snapshot is known by its VM and name. Of a VM's own ref, the VM.
struct SnapshotRef {
  std::int64_t vm = 0;
  std::string name;
};
inline SnapshotRef snapshot_ref(std::string_view ref) {
  const std::size_t slash = ref.find('/');
  if (slash == std::string_view::npos) return {number_of(ref, kVmRef), {}};
  return {number_of(ref.substr(0, slash), kVmRef), std::string(ref.substr(slash + 1))};
}

// The caller's place among all that may call under one key.
using Fence = std::tuple<domain::Seq, domain::TaskId, domain::FencingToken>;
inline Fence fence_of(const KeyRow& key) { return {key.fence, key.task, key.token}; }

struct Cloud::Request {
  const BackendCall& call;
  base::Time now;
  Operation step;
  Operation operation;
  const KeyRow* key;  // of the operation, if it took effect before
  std::string ref;    // of what the call is about

  const domain::WorkOrder& order() const { return call.order(); }
  Fence fence() const { return {order().fence, order().task, order().token}; }
};

inline Reply done(std::string ref, base::Duration after = {}) {
  Reply reply;
  reply.answer.ref = std::move(ref);
  reply.after = after;
  return reply;
}

inline Reply refused(base::Errc code, std::string detail) {
  return {.answer = BackendAnswer::failed(
              {.code = code, .detail = std::move(detail), .without_effect = true})};
}

}  // namespace slipway::workers::simulated
