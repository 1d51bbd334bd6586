#include "eventstore/record_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/bytes.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::size_t kLength = 4;
constexpr std::size_t kSeq = 8;
constexpr std::size_t kCount = 16;
constexpr std::size_t kCrc = 20;  // also the number of bytes before it
constexpr std::size_t kHash = 24;
static_assert(kHash + sizeof(base::Digest) == kRecordHeaderBytes);

base::Digest hash_record(const base::Digest& previous, const char* header,
                         std::string_view payload) {
  std::array<char, sizeof(base::Digest) + kCrc> first;
  std::memcpy(first.data(), previous.data(), previous.size());
  std::memcpy(first.data() + previous.size(), header, kCrc);
  return base::blake2b2({first.data(), first.size()}, payload);
}

// In the order of the bytes; the parts need not lie together.
std::uint32_t crc_of(const char* header, std::string_view payload) {
  std::uint32_t crc = base::crc32c({header, kCrc});
  crc = base::crc32c({header + kHash, sizeof(base::Digest)}, crc);
  return base::crc32c(payload, crc);
}

}  // namespace

RecordHeader encode_header(const base::Digest& previous, Seq seq, std::uint32_t event_count,
                           std::string_view payload) {
  RecordHeader header{};
  header[0] = static_cast<char>(kRecordFormat);
  put_le(header.data() + kLength, static_cast<std::uint32_t>(payload.size()));
  put_le(header.data() + kSeq, seq);
  put_le(header.data() + kCount, event_count);
  const base::Digest hash = hash_record(previous, header.data(), payload);
  std::memcpy(header.data() + kHash, hash.data(), hash.size());
  put_le(header.data() + kCrc, crc_of(header.data(), payload));
  return header;
}

base::Digest chain_hash(const RecordHeader& header) {
  base::Digest hash;
  std::memcpy(hash.data(), header.data() + kHash, hash.size());
  return hash;
}

base::Result<Record> decode_record(std::string_view bytes) {
  const auto bad = [](std::string message) {
    return base::fail(base::Errc::Internal, std::move(message));
  };
  if (bytes.size() < kRecordHeaderBytes) {
    return bad(fmt::format("the record has only {} bytes", bytes.size()));
  }
  const char* header = bytes.data();
  const std::string_view payload = bytes.substr(kRecordHeaderBytes);
  if (const auto stored = get_le<std::uint32_t>(header + kCrc); stored != crc_of(header, payload)) {
    return bad(fmt::format("bad checksum: {:08x} is stored, {:08x} is right", stored,
                           crc_of(header, payload)));
  }
  if (static_cast<std::uint8_t>(header[0]) != kRecordFormat) {
    return bad(fmt::format("record format {} is unknown", static_cast<std::uint8_t>(header[0])));
  }
  Record record;
  record.seq = get_le<std::uint64_t>(header + kSeq);
  record.event_count = get_le<std::uint32_t>(header + kCount);
  record.payload = payload;
  std::memcpy(record.hash.data(), header + kHash, record.hash.size());
  const bool zeros = header[1] == 0 && header[2] == 0 && header[3] == 0;
  if (get_le<std::uint32_t>(header + kLength) != payload.size() || !zeros || record.seq == 0 ||
      record.event_count == 0) {
    return bad("the record's header makes no sense");
  }
  return record;
}

bool follows(const base::Digest& previous, std::string_view bytes, const Record& record) {
  return hash_record(previous, bytes.data(), record.payload) == record.hash;
}

}  // namespace slipway::eventstore
