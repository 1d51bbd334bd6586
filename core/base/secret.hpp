#pragma once
// Bytes that nobody may see: passwords, keys, tokens, user data. They can not be printed, compared,
// written as JSON or copied by accident, and are overwritten when they go. Memory is not locked:
// the process forbids core dumps, and what must not be swapped (the master key) has its own pages
// in LockedKey.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/crypto.hpp"

namespace slipway::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);  // the caller wipes its own copy
  explicit Secret(const char* text) : Secret(std::string_view(text)) {}
  explicit Secret(std::string&& bytes);  // takes the bytes and wipes the string
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  Secret clone() const { return Secret(reveal()); }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The one way to the bytes, easy to search for. Valid while this lives.
  std::string_view reveal() const { return {bytes_.get(), size_}; }

  template <class T>
  friend bool operator==(const Secret&, const T&) = delete;
  template <class Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

 private:
  void wipe();
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

// One key on pages of its own: locked in memory, left out of core dumps, wiped at the end. Costs
// some 16 KiB of address space, so for the few keys that open all the others.
class LockedKey {
 public:
  explicit LockedKey(const Key& key);
  const Key& get() const { return *key_; }

 private:
  struct Free {
    void operator()(Key* key) const;
  };
  std::unique_ptr<Key, Free> key_;
};

}  // namespace slipway::base
