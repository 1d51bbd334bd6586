#pragma once
// How one record lies in the log. Numbers are little-endian.
//
//   offset size
//        0    1  format: 1
//        1    3  zero
//        4    4  length of the payload in bytes
//        8    8  seq of the record's first event, from 1
//       16    4  number of its events, from 1
//       20    4  CRC32C of everything else: bytes 0 to 19, then 24 to the end
//       24   32  chain hash: BLAKE2b-256(chain hash of the record before, bytes 0 to 19, payload)
//       56    n  payload
//
// The CRC finds damage to one record with no other at hand; the chain finds a record that was
// exchanged, edited, moved or left out. The record before the first has the hash zero.
//
// These bytes are kept for ever. To change the layout: a new format number here, decoding of the
// old one stays, and tests/golden/record/ gains a file (none is ever edited).
#include <array>
#include <string>
#include <string_view>

#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

inline constexpr std::size_t kRecordHeaderBytes = 56;
inline constexpr std::uint8_t kRecordFormat = 1;
using RecordHeader = std::array<char, kRecordHeaderBytes>;

// The header of a record that follows the one with hash `previous`. The payload is read, not
// copied: header and payload are written one after the other.
RecordHeader encode_header(const base::Digest& previous, Seq seq, std::uint32_t event_count,
                           std::string_view payload);
// The chain hash in a header, to be handed to the next encode_header.
base::Digest chain_hash(const RecordHeader& header);

// The record in `bytes`, which must be exactly one: format, zeros, lengths, numbers and CRC are
// checked. `payload` points into `bytes`. The Error says what is wrong, not where.
base::Result<Record> decode_record(std::string_view bytes);

// Whether `record`, decoded from `bytes`, follows the record with hash `previous`.
bool follows(const base::Digest& previous, std::string_view bytes, const Record& record);

}  // namespace slipway::eventstore
