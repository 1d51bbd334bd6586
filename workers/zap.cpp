#include "workers/zap.hpp"

#include <array>
#include <vector>

#include "workers/transport_impl.hpp"

namespace slipway::workers {

using base::Errc;
using base::fail;

namespace {

constexpr const char* kZapEndpoint = "inproc://zeromq.zap.01";
constexpr std::size_t kKeyBytes = 32;
// Request: version, id, domain, address, routing id, mechanism, then credentials.
constexpr std::size_t kMechanism = 5;
constexpr std::size_t kCredentials = 6;

std::string z85(std::string_view key) {
  std::array<char, 41> text{};
  zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(key.data()), key.size());
  return text.data();
}

}  // namespace

struct ZapHandler::Socket {
  explicit Socket(Transport& transport) : socket(transport.impl().context, zmq::socket_type::rep) {}
  zmq::socket_t socket;
};

ZapHandler::ZapHandler(std::unique_ptr<Socket> socket, std::string workers_file)
    : socket_(std::move(socket)), workers_file_(std::move(workers_file)) {}

ZapHandler::~ZapHandler() = default;

base::Result<std::unique_ptr<ZapHandler>> ZapHandler::open(Transport& transport,
                                                           std::string workers_file) {
  auto socket = std::make_unique<Socket>(transport);
  try {
    socket->socket.set(zmq::sockopt::linger, 0);
    socket->socket.bind(kZapEndpoint);
  } catch (const zmq::error_t&) {
    return fail(Errc::InvalidArgument, "two brokers with keys in one process");
  }
  return std::unique_ptr<ZapHandler>(new ZapHandler(std::move(socket), std::move(workers_file)));
}

void* ZapHandler::handle() { return socket_->socket.handle(); }

void ZapHandler::serve() {
  while (true) {
    std::vector<zmq::message_t> request;
    do {
      request.emplace_back();
      if (!socket_->socket.recv(request.back(), zmq::recv_flags::dontwait)) return;
    } while (request.back().more());

    const bool whole = request.size() > kCredentials;
    const AdmittedWorker* worker =
        whole ? admit(request[kMechanism].to_string_view(), request[kCredentials].to_string_view())
              : nullptr;
    const std::string id = request.size() > 1 ? request[1].to_string() : std::string();
    const std::array<std::string, 6> reply = {"1.0",
                                              id,
                                              worker ? "200" : "400",
                                              worker ? "OK" : "unknown key",
                                              worker ? worker->name : "",
                                              ""};
    for (std::size_t i = 0; i < reply.size(); ++i) {
      const bool last = i + 1 == reply.size();
      socket_->socket.send(zmq::buffer(reply[i]),
                           last ? zmq::send_flags::none : zmq::send_flags::sndmore);
    }
  }
}

const AdmittedWorker* ZapHandler::admit(std::string_view mechanism, std::string_view key) {
  if (mechanism != "CURVE" || key.size() != kKeyBytes) return nullptr;
  const auto workers = read_workers_file(workers_file_);
  if (!workers) return nullptr;
  const std::string text = z85(key);
  for (const AdmittedWorker& worker : *workers) {
    if (worker.public_key != text) continue;
    return &(admitted_[worker.name] = worker);
  }
  return nullptr;
}

const AdmittedWorker* ZapHandler::admitted(std::string_view name) const {
  const auto found = admitted_.find(name);
  return found == admitted_.end() ? nullptr : &found->second;
}

}  // namespace slipway::workers
