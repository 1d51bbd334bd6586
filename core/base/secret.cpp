#include "core/base/secret.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"

namespace slipway::base {

Secret::Secret(std::string_view bytes)
    : bytes_(bytes.empty() ? nullptr : new char[bytes.size()]), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), bytes_.get());
}

Secret::Secret(std::string&& bytes) : Secret(std::string_view(bytes)) { base::wipe(bytes); }

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Secret::wipe() {
  if (size_ > 0) sodium_memzero(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

LockedKey::LockedKey(const Key& key) : key_(static_cast<Key*>(sodium_malloc(sizeof(Key)))) {
  CHECK(key_ != nullptr, "no memory for a key");
  *key_ = key;
}

void LockedKey::Free::operator()(Key* key) const { sodium_free(key); }

}  // namespace slipway::base
