#pragma once
// Addresses from one to another: handed out upwards, so that a freed one rests as long as possible
// before it is given again.
#include <cstdint>
#include <set>
#include <vector>

namespace slipway::domain {

class AddressRange {
 public:
  AddressRange() = default;
  AddressRange(std::uint32_t first, std::uint32_t last)
      : first_(first), last_(last), next_(first) {}
  // The n-th address that would be given now; 0 if there are not as many.
  std::uint32_t peek(std::size_t n) const;
  bool is_free(std::uint32_t ipv4) const;
  void take(std::uint32_t ipv4);
  void release(std::uint32_t ipv4);
  bool contains(std::uint32_t ipv4) const { return first_ != 0 && first_ <= ipv4 && ipv4 <= last_; }
  std::uint64_t size() const { return first_ == 0 ? 0 : std::uint64_t{last_} - first_ + 1; }
  std::uint64_t taken() const { return std::uint64_t{next_} - first_ - freed_.size(); }
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("first", s.first_);
    v("last", s.last_);
    v("next", s.next_);
    v("freed", s.freed_list_);
  }
  void pack();    // before writing a snapshot
  void unpack();  // after reading one

 private:
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> freed_;
  std::vector<std::uint32_t> freed_list_;
};

}  // namespace slipway::domain
