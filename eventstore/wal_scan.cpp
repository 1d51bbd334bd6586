#include "eventstore/wal_scan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/crypto.hpp"
#include "eventstore/bytes.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::size_t kBlock = 32768;
constexpr std::size_t kFragmentHeader = 7;
enum Type : std::uint8_t { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

struct Fragment {
  std::uint8_t type = 0;
  std::size_t end = 0;
};

// The store masks its checksums so that a checksum over bytes that hold one still tells something.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U; }

std::size_t block_end(std::string_view bytes, std::size_t at) {
  return std::min(bytes.size(), (at / kBlock + 1) * kBlock);
}

// The fragment at `at`, if its bytes are what was written.
std::optional<Fragment> fragment_at(std::string_view bytes, std::size_t at) {
  const std::size_t end = block_end(bytes, at);
  if (end - at < kFragmentHeader) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(bytes[at + 6]);
  const std::size_t length = get_le<std::uint16_t>(bytes.data() + at + 4);
  if (type < kWhole || type > kLast || at + kFragmentHeader + length > end) return std::nullopt;
  const std::string_view covered = bytes.substr(at + 6, 1 + length);
  if (masked(base::crc32c(covered)) != get_le<std::uint32_t>(bytes.data() + at)) {
    return std::nullopt;
  }
  return Fragment{type, at + kFragmentHeader + length};
}

// Too near the end of its block for a fragment: the next one is in the next block.
bool in_trailer(std::string_view bytes, std::size_t at) {
  return kBlock - at % kBlock < kFragmentHeader && at < bytes.size();
}

// Where a batch begins that was written after the damage at `from`; lengths can not be trusted
// there, so every offset is tried.
std::optional<std::size_t> later_batch(std::string_view bytes, std::size_t from) {
  for (std::size_t at = from; at + kFragmentHeader <= bytes.size(); ++at) {
    const auto type = static_cast<std::uint8_t>(bytes[at + 6]);
    if ((type == kWhole || type == kFirst) && fragment_at(bytes, at)) return at;
  }
  return std::nullopt;
}

class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : bytes_(bytes) { scan_.file_bytes = bytes.size(); }

  WalScan run() {
    while (at_ < bytes_.size()) {
      if (in_trailer(bytes_, at_)) {
        skip_trailer();
        continue;
      }
      const auto fragment = fragment_at(bytes_, at_);
      if (!fragment || !fits(fragment->type)) return stop();
      take(*fragment);
    }
    return scan_;
  }

 private:
  bool fits(std::uint8_t type) const { return inside_ == (type == kMiddle || type == kLast); }

  void take(const Fragment& fragment) {
    inside_ = fragment.type == kFirst || fragment.type == kMiddle;
    at_ = fragment.end;
    if (inside_) return;
    ++scan_.batches;
    scan_.whole_bytes = at_;
  }

  // A trailer belongs to the batch before it; unless zero it is damage, but of no consequence.
  void skip_trailer() {
    at_ = block_end(bytes_, at_);
    if (!inside_) scan_.whole_bytes = at_;
  }

  WalScan stop() {
    // A batch that was begun and whose next part is the first of another has lost its end.
    if (const auto later = later_batch(bytes_, at_)) {
      scan_.damage = {at_,
                      fmt::format("a batch that was written later follows at offset {}", *later)};
    }
    return scan_;
  }

  std::string_view bytes_;
  WalScan scan_;
  std::size_t at_ = 0;
  bool inside_ = false;  // a batch whose last part has not come yet
};

}  // namespace

WalScan scan_wal(std::string_view bytes) { return Scanner(bytes).run(); }

}  // namespace slipway::eventstore
