#include "workers/wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/base/fields.hpp"

namespace slipway::workers {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kMagic = "SLPW";
constexpr std::size_t kJsonDepth = 64;
constexpr std::size_t kElements = 100'000;  // leases named in a heartbeat; the size bounds it too

template <class T>
void put(char* at, T number) {  // little-endian, as all hosts we build for
  std::memcpy(at, &number, sizeof number);
}
template <class T>
T take(std::string_view bytes, std::size_t at) {
  T number{};
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

template <class T>
constexpr MessageType type_of();
template <>
constexpr MessageType type_of<domain::WorkerHello>() {
  return MessageType::Hello;
}
template <>
constexpr MessageType type_of<domain::WorkerReport>() {
  return MessageType::Report;
}
template <>
constexpr MessageType type_of<domain::WorkerHeartbeat>() {
  return MessageType::Heartbeat;
}
template <>
constexpr MessageType type_of<domain::WorkerGoodbye>() {
  return MessageType::Goodbye;
}
template <>
constexpr MessageType type_of<domain::InventoryPage>() {
  return MessageType::InventoryPage;
}
template <>
constexpr MessageType type_of<domain::TakeInventory>() {
  return MessageType::TakeInventory;
}
template <>
constexpr MessageType type_of<domain::VmInspection>() {
  return MessageType::VmInspection;
}
template <>
constexpr MessageType type_of<domain::InspectVm>() {
  return MessageType::InspectVm;
}
template <>
constexpr MessageType type_of<domain::Welcome>() {
  return MessageType::Welcome;
}
template <>
constexpr MessageType type_of<domain::WorkOrder>() {
  return MessageType::WorkOrder;
}
template <>
constexpr MessageType type_of<domain::ReportAck>() {
  return MessageType::ReportAck;
}
template <>
constexpr MessageType type_of<domain::HeartbeatAck>() {
  return MessageType::HeartbeatAck;
}
template <>
constexpr MessageType type_of<domain::CancelLease>() {
  return MessageType::CancelLease;
}
template <>
constexpr MessageType type_of<domain::DrainWorker>() {
  return MessageType::DrainWorker;
}

// ---- secrets

std::size_t secrets_size(const Secrets& secrets) {
  if (secrets.empty()) return 0;
  std::size_t size = 2;
  for (const auto& [ref, value] : secrets.items()) size += 6 + ref.size() + value.reveal().size();
  return size;
}

template <class T>
void append(std::string& out, T number) {
  std::array<char, sizeof(T)> bytes;
  put(bytes.data(), number);
  out.append(bytes.data(), bytes.size());
}

void append_secrets(std::string& out, const Secrets& secrets) {
  if (secrets.empty()) return;
  append(out, static_cast<std::uint16_t>(secrets.items().size()));
  for (const auto& [ref, value] : secrets.items()) {
    append(out, static_cast<std::uint16_t>(ref.size()));
    append(out, static_cast<std::uint32_t>(value.reveal().size()));
    out.append(ref);
    out.append(value.reveal());
  }
}

Result<Secrets> read_secrets(std::string_view bytes) {
  Secrets secrets;
  if (bytes.empty()) return secrets;
  const auto bad = [] { return fail(Errc::InvalidArgument, "wire: bad secrets section"); };
  if (bytes.size() < 2) return bad();
  std::size_t at = 2;
  for (auto left = take<std::uint16_t>(bytes, 0); left > 0; --left) {
    if (bytes.size() - at < 6) return bad();
    const std::size_t ref_size = take<std::uint16_t>(bytes, at);
    const std::size_t value_size = take<std::uint32_t>(bytes, at + 2);
    at += 6;
    if (bytes.size() - at < ref_size + value_size) return bad();
    secrets.add(std::string(bytes.substr(at, ref_size)),
                base::Secret(std::string(bytes.substr(at + ref_size, value_size))));
    at += ref_size + value_size;
  }
  if (at != bytes.size()) return bad();
  return secrets;
}

// ---- reading

struct Parts {
  MessageType type{};
  std::uint64_t epoch = 0;
  std::string_view json;
  std::string_view secrets;
};

Result<Parts> split(std::span<const std::string_view> frames) {
  if (frames.size() != kFrames) return fail(Errc::InvalidArgument, "wire: wrong frame count");
  const std::string_view header = frames[0];
  const std::string_view body = frames[1];
  if (header.size() != kHeaderBytes || header.substr(0, 4) != kMagic) {
    return fail(Errc::InvalidArgument, "wire: not a slipway header");
  }
  if (take<std::uint8_t>(header, 4) != kWireVersion) {
    return fail(Errc::InvalidArgument, "wire: another version");
  }
  if (take<std::uint16_t>(header, 6) != 0) {
    return fail(Errc::InvalidArgument, "wire: reserved bytes are not zero");
  }
  const std::size_t json = take<std::uint32_t>(header, 8);
  const std::size_t secrets = take<std::uint32_t>(header, 12);
  if (body.size() > kMaxMessageBytes || json + secrets != body.size()) {
    return fail(Errc::InvalidArgument, "wire: lengths do not add up");
  }
  Parts parts;
  parts.type = static_cast<MessageType>(take<std::uint8_t>(header, 5));
  parts.epoch = take<std::uint64_t>(header, 16);
  parts.json = body.substr(0, json);
  parts.secrets = body.substr(json);
  if (secrets != 0 && parts.type != MessageType::WorkOrder) {
    return fail(Errc::InvalidArgument, "wire: secrets on another message than a work order");
  }
  return parts;
}

template <class Variant, class T>
base::Status read_into(base::JsonValue json, Variant& out) {
  if (!base::read_json(json, out.template emplace<T>())) {
    return fail(Errc::InvalidArgument, "wire: a field has another type or is out of range");
  }
  return {};
}

base::Status read_body(MessageType type, base::JsonValue json, domain::WorkerInput& out) {
  using V = domain::WorkerInput;
  if (type == MessageType::Report) return read_into<V, domain::WorkerReport>(json, out);
  if (type == MessageType::Heartbeat) return read_into<V, domain::WorkerHeartbeat>(json, out);
  if (type == MessageType::Hello) return read_into<V, domain::WorkerHello>(json, out);
  if (type == MessageType::Goodbye) return read_into<V, domain::WorkerGoodbye>(json, out);
  if (type == MessageType::InventoryPage) return read_into<V, domain::InventoryPage>(json, out);
  if (type == MessageType::VmInspection) return read_into<V, domain::VmInspection>(json, out);
  return fail(Errc::InvalidArgument, "wire: not a message of a worker's");
}

base::Status read_body(MessageType type, base::JsonValue json, domain::ServerMessage& out) {
  using V = domain::ServerMessage;
  if (type == MessageType::WorkOrder) return read_into<V, domain::WorkOrder>(json, out);
  if (type == MessageType::ReportAck) return read_into<V, domain::ReportAck>(json, out);
  if (type == MessageType::HeartbeatAck) return read_into<V, domain::HeartbeatAck>(json, out);
  if (type == MessageType::Welcome) return read_into<V, domain::Welcome>(json, out);
  if (type == MessageType::CancelLease) return read_into<V, domain::CancelLease>(json, out);
  if (type == MessageType::DrainWorker) return read_into<V, domain::DrainWorker>(json, out);
  if (type == MessageType::TakeInventory) return read_into<V, domain::TakeInventory>(json, out);
  if (type == MessageType::InspectVm) return read_into<V, domain::InspectVm>(json, out);
  return fail(Errc::InvalidArgument, "wire: not a message of the server's");
}

template <class Message>
Result<Incoming<Message>> read(base::JsonParser& parser, std::span<const std::string_view> frames) {
  const auto parts = split(frames);
  if (!parts) return fail(parts.error());
  const auto json = parser.parse(parts->json);
  if (!json) return fail(json.error());
  Incoming<Message> incoming;
  incoming.epoch = parts->epoch;
  if (const auto status = read_body(parts->type, *json, incoming.message); !status) {
    return fail(status.error());
  }
  auto secrets = read_secrets(parts->secrets);
  if (!secrets) return fail(secrets.error());
  incoming.secrets = std::move(*secrets);
  return incoming;
}

}  // namespace

template <class T>
Frames WireWriter::frames(MessageType type, const T& message, std::uint64_t epoch,
                          const Secrets& secrets) {
  json_.clear();
  base::write_json(json_, message);
  const std::string_view json = json_.view();
  const std::size_t secret_bytes = secrets_size(secrets);

  Frames frames;
  std::array<char, kHeaderBytes> header{};
  std::copy(kMagic.begin(), kMagic.end(), header.begin());
  put(&header[4], kWireVersion);
  put(&header[5], static_cast<std::uint8_t>(type));
  put(&header[8], static_cast<std::uint32_t>(json.size()));
  put(&header[12], static_cast<std::uint32_t>(secret_bytes));
  put(&header[16], epoch);
  frames.header.assign(header.data(), header.size());
  frames.body.reserve(json.size() + secret_bytes);  // so that no secret is left in a freed buffer
  frames.body.append(json);
  append_secrets(frames.body, secrets);
  frames.secret = secret_bytes != 0;
  return frames;
}

Frames WireWriter::write(const domain::WorkerInput& message, std::uint64_t epoch) {
  return std::visit([&]<class T>(const T& m) { return frames(type_of<T>(), m, epoch, Secrets{}); },
                    message);
}

Frames WireWriter::write(const domain::ServerMessage& message, std::uint64_t epoch,
                         const Secrets& secrets) {
  return std::visit([&]<class T>(const T& m) { return frames(type_of<T>(), m, epoch, secrets); },
                    message);
}

WireReader::WireReader()
    : parser_(base::JsonLimits{.depth = kJsonDepth, .elements_per_array = kElements}) {}

Result<Incoming<domain::WorkerInput>> WireReader::read_input(
    std::span<const std::string_view> frames) {
  return read<domain::WorkerInput>(parser_, frames);
}

Result<Incoming<domain::ServerMessage>> WireReader::read_server_message(
    std::span<const std::string_view> frames) {
  return read<domain::ServerMessage>(parser_, frames);
}

}  // namespace slipway::workers
