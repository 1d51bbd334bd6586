#pragma once
// A value that must not be seen: no printing, no comparing, no JSON. Wiped when it goes.
#include <string>
#include <string_view>
#include <utility>

#include "core/base/crypto.hpp"

namespace slipway::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  ~Secret() { wipe(value_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe_moved_from(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe(value_);
    value_ = std::move(other.value_);
    other.wipe_moved_from();
    return *this;
  }

  // For the one place that must hand it on; never into a log, an error or an event.
  std::string_view expose() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  // A short string is moved by copying: its bytes stay behind in place.
  void wipe_moved_from() {
    value_.resize(value_.capacity());
    wipe(value_);
  }
  std::string value_;
};

}  // namespace slipway::base
