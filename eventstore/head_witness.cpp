#include "eventstore/head_witness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "eventstore/bytes.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::size_t kSlot = 64;
constexpr std::size_t kSlotDistance = 4096;
constexpr std::size_t kMark = 56;
constexpr std::size_t kCrc = 60;
constexpr std::string_view kMarkText = "SLIP";
using Slot = std::array<char, kSlot>;

off_t slot_offset(std::uint64_t batch) { return static_cast<off_t>(batch % 2 * kSlotDistance); }

Slot encode(const Witness& witness) {
  Slot slot{};
  put_le(slot.data(), witness.batch);
  put_le(slot.data() + 8, witness.next_seq);
  std::memcpy(slot.data() + 16, witness.hash.data(), witness.hash.size());
  std::memcpy(slot.data() + kMark, kMarkText.data(), kMarkText.size());
  put_le(slot.data() + kCrc, base::crc32c({slot.data(), kCrc}));
  return slot;
}

std::optional<Witness> decode(std::string_view slot) {
  if (slot.size() < kSlot || slot.substr(kMark, kMarkText.size()) != kMarkText ||
      get_le<std::uint32_t>(slot.data() + kCrc) != base::crc32c(slot.substr(0, kCrc))) {
    return std::nullopt;
  }
  Witness witness;
  witness.batch = get_le<std::uint64_t>(slot.data());
  witness.next_seq = get_le<std::uint64_t>(slot.data() + 8);
  std::memcpy(witness.hash.data(), slot.data() + 16, witness.hash.size());
  return witness;
}

std::optional<Witness> later(std::optional<Witness> a, std::optional<Witness> b) {
  if (!a || (b && b->batch > a->batch)) return b;
  return a;
}

}  // namespace

base::Result<HeadWitness::Opened> HeadWitness::open(const std::filesystem::path& path) {
  const bool existed = std::filesystem::exists(path);
  auto fd = open_file(path, O_RDWR | O_CREAT);
  if (!fd) return base::fail(fd.error());
  std::optional<Witness> found;
  if (existed) {
    const auto bytes = read_file(path);
    if (!bytes) return base::fail(bytes.error());
    const std::string_view view(*bytes);
    found = decode(view.substr(0, kSlot));
    if (view.size() > kSlotDistance) found = later(found, decode(view.substr(kSlotDistance)));
  }
  return Opened{HeadWitness(std::move(*fd), path), found, existed};
}

void HeadWitness::advance(const Witness& witness) {
  const Slot slot = encode(witness);
  // The result is looked at only because the compiler insists; see the header.
  if (::pwrite(fd_.get(), slot.data(), slot.size(), slot_offset(witness.batch)) < 0) return;
}

base::Status HeadWitness::write_synced(const Witness& witness) {
  const Slot slot = encode(witness);
  for (const off_t offset : {slot_offset(0), slot_offset(1)}) {
    if (::pwrite(fd_.get(), slot.data(), slot.size(), offset) != static_cast<ssize_t>(kSlot)) {
      return os_error("write", path_);
    }
  }
  return sync_file(fd_, path_);
}

}  // namespace slipway::eventstore
