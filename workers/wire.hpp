#pragma once
// The wire between the broker and workers (docs/WIRE.md draws it). A message is two frames:
//
//   frame 1, 24 bytes, little-endian          frame 2
//    0  4  magic "SLPW"                        json bytes of JSON, then secrets bytes of secrets
//    4  1  version, 1
//    5  1  message type                        secrets, on a WorkOrder only:
//    6  2  zero                                 0  2  count, then for each
//    8  4  json: bytes of JSON                     2  bytes of the reference
//   12  4  secrets: bytes of secrets               4  bytes of the value
//   16  8  epoch                                      reference, value
//
// The JSON is the message's fields (core/domain/work.hpp). Everything is checked on reading: frame
// count, magic, version, type, that the lengths add up, JSON, types and ranges.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "core/base/result.hpp"
#include "core/domain/worker_messages.hpp"
#include "workers/secrets.hpp"

namespace slipway::workers {

inline constexpr std::size_t kMaxMessageBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kHeaderBytes = 24;
inline constexpr std::size_t kFrames = 2;
inline constexpr std::uint8_t kWireVersion = 1;

// On the wire by number: append only, never renumber.
enum class MessageType : std::uint8_t {
  Hello = 1,
  Report = 2,
  Heartbeat = 3,
  Goodbye = 4,
  InventoryPage = 5,
  VmInspection = 6,
  Welcome = 16,
  WorkOrder = 17,
  ReportAck = 18,
  HeartbeatAck = 19,
  CancelLease = 20,
  DrainWorker = 21,
  TakeInventory = 22,
  InspectVm = 23,
};

struct Frames {
  std::string header;
  std::string body;  // wiped by whoever sends it if `secret`
  bool secret = false;
};

template <class Message>
struct Incoming {
  std::uint64_t epoch = 0;
  Message message;
  Secrets secrets;  // of a WorkOrder
};

// Not thread-safe: one per thread, its buffers are reused.
class WireWriter {
 public:
  Frames write(const domain::WorkerInput& message, std::uint64_t epoch);
  Frames write(const domain::ServerMessage& message, std::uint64_t epoch,
               const Secrets& secrets = {});

 private:
  template <class T>
  Frames frames(MessageType type, const T& message, std::uint64_t epoch, const Secrets& secrets);
  base::JsonWriter json_;
};

// Not thread-safe. An Error (InvalidArgument or MalformedJson) says what is wrong with the message;
// there is nothing to be done with its sender but to drop it.
class WireReader {
 public:
  WireReader();
  base::Result<Incoming<domain::WorkerInput>> read_input(std::span<const std::string_view> frames);
  base::Result<Incoming<domain::ServerMessage>> read_server_message(
      std::span<const std::string_view> frames);

 private:
  base::JsonParser parser_;
};

}  // namespace slipway::workers
