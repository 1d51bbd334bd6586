#pragma once
// A small value that a reload may change while any thread reads it.
#include <atomic>

namespace slipway::base {

template <class T>
class Live {
 public:
  Live() = default;
  Live(T value) : value_(value) {}  // NOLINT: it stands for its value
  Live(const Live& other) : value_(other.get()) {}
  Live& operator=(const Live& other) {
    set(other.get());
    return *this;
  }
  ~Live() = default;

  T get() const { return value_.load(std::memory_order_relaxed); }
  operator T() const { return get(); }  // NOLINT: it stands for its value
  // Const: whoever may read it may hold it as a part of something that does not change otherwise.
  void set(T value) const { value_.store(value, std::memory_order_relaxed); }

 private:
  mutable std::atomic<T> value_{};
};

}  // namespace slipway::base
