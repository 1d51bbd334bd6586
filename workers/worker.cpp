#include "workers/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "workers/curve_keys.hpp"
#include "workers/transport_impl.hpp"

namespace slipway::workers {

using base::Errc;
using base::fail;
using base::Result;
using std::chrono::milliseconds;

namespace {

constexpr int kMessagesATurn = 1000;
constexpr milliseconds kLongestWait(5000);  // then whoever watches hears of it
constexpr int kReconnectMs = 100;
constexpr int kReconnectMaxMs = 5000;

base::Status secure(zmq::socket_t& socket, const WorkerOptions& options) {
  if (!is_public_key(options.server_public_key)) {
    return fail(Errc::InvalidArgument, "the server's public key is not 40 characters of Z85");
  }
  socket.set(zmq::sockopt::curve_serverkey, options.server_public_key);
  socket.set(zmq::sockopt::curve_publickey, options.keys->public_key);
  socket.set(zmq::sockopt::curve_secretkey, std::string(options.keys->secret_key.reveal()));
  return {};
}

}  // namespace

struct Worker::Socket {
  explicit Socket(Transport& transport)
      : dealer(transport.impl().context, zmq::socket_type::dealer) {}

  void send(const domain::WorkerInput& message, std::uint64_t epoch);
  void receive(WorkerCore& core);

  zmq::socket_t dealer;
  WireWriter writer;
  WireReader reader;
};

Worker::Worker(WorkerOptions options, std::vector<std::unique_ptr<Backend>> backends,
               const base::Clock& clock)
    : clock_(clock),
      options_(std::move(options)),
      completions_([this] { wake_up_.signal(); }),
      backends_(std::move(backends)) {
  for (auto& backend : backends_) backend->attach(completions_);
}

Worker::~Worker() {
  if (thread_.joinable()) {
    thread_.request_stop();
    wake_up_.signal();
    thread_.join();
  }
}

Result<std::unique_ptr<Worker>> Worker::start(Transport& transport, WorkerOptions options,
                                              std::vector<std::unique_ptr<Backend>> backends,
                                              const base::Clock& clock) {
  const bool curve = options.keys != nullptr;
  if (!curve && !is_loopback(options.endpoint)) {
    return fail(Errc::InvalidArgument,
                fmt::format("{}: beyond loopback, a worker needs its key", options.endpoint));
  }
  options.core.session = domain::SessionId(base::SystemIdSource().next());
  std::unique_ptr<Worker> worker(new Worker(std::move(options), std::move(backends), clock));
  worker->socket_ = std::make_unique<Socket>(transport);
  zmq::socket_t& dealer = worker->socket_->dealer;
  const WorkerOptions& o = worker->options_;
  set_limits(dealer, {std::chrono::seconds(5), o.heartbeat_interval, o.heartbeat_timeout});
  dealer.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  dealer.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  // Nothing is queued for a server that is away: what matters is sent again anyway.
  dealer.set(zmq::sockopt::immediate, 1);
  dealer.set(zmq::sockopt::sndhwm, 100'000);
  dealer.set(zmq::sockopt::rcvhwm, 100'000);
  if (curve) {
    if (const auto status = secure(dealer, o); !status) return fail(status.error());
  }
  try {
    dealer.connect(o.endpoint);
  } catch (const zmq::error_t& error) {
    return fail(Errc::InvalidArgument,
                fmt::format("cannot connect to {}: {}", o.endpoint, zmq_strerror(error.num())));
  }
  worker->thread_ = std::jthread([w = worker.get()](std::stop_token stop) { w->run(stop); });
  return worker;
}

void Worker::drain() {
  drains_.fetch_add(1);
  wake_up_.signal();
}

bool Worker::wait_finished(base::Duration timeout) {
  base::Lock lock(mu_);
  return ended_.wait_for(lock.native(), timeout, [this] { return finished_.load(); });
}

void Worker::run(std::stop_token stop) {
  std::vector<Backend*> backends;
  for (auto& backend : backends_) backends.push_back(backend.get());
  WorkerCore core(options_.core, backends, [&](const domain::WorkerInput& message) {
    socket_->send(message, core.epoch());
  });
  std::vector<zmq::pollitem_t> items;
  items.push_back({nullptr, wake_up_.fd(), ZMQ_POLLIN, 0});
  items.push_back({socket_->dealer.handle(), 0, ZMQ_POLLIN, 0});
  int drains = 0;
  while (!stop.stop_requested() && !core.finished()) {
    core.begin_turn(clock_.now(), clock_.steady());
    for (; drains < drains_.load(); ++drains) core.drain();
    socket_->receive(core);
    wake_up_.clear();
    completions_.run();
    core.end_turn();
    leases_.store(core.leases(), std::memory_order_relaxed);
    welcomed_.store(core.welcomed(), std::memory_order_relaxed);
    if (options_.on_turn) options_.on_turn();
    if (!core.finished()) poll(items, poll_timeout(core.next_timer()));
  }
  backends_.clear();  // their threads may still push: the queue outlives them
  socket_.reset();
  base::Lock lock(mu_);
  finished_.store(true);
  ended_.notify_all();
}

std::chrono::milliseconds Worker::poll_timeout(base::SteadyTime next) const {
  if (next == base::SteadyTime::max()) return kLongestWait;
  const auto left = std::chrono::ceil<milliseconds>(next - clock_.steady());
  return std::clamp(left, milliseconds(0), kLongestWait);
}

void Worker::Socket::send(const domain::WorkerInput& message, std::uint64_t epoch) {
  Frames frames = writer.write(message, epoch);
  constexpr auto kMore = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
  if (!dealer.send(zmq::buffer(frames.header), kMore)) return;  // away or full
  dealer.send(body_message(std::move(frames)), zmq::send_flags::dontwait);
}

void Worker::Socket::receive(WorkerCore& core) {
  std::array<zmq::message_t, kFrames> parts;
  std::array<std::string_view, kFrames> frames;
  for (int i = 0; i < kMessagesATurn; ++i) {
    std::size_t count = 0;
    bool more = true;
    while (more) {
      zmq::message_t part;
      if (!dealer.recv(part, zmq::recv_flags::dontwait)) return;
      more = part.more();
      if (count < kFrames) parts[count] = std::move(part);
      ++count;
    }
    if (count != kFrames) continue;
    for (std::size_t f = 0; f < kFrames; ++f) {
      note_received(parts[f].data());
      frames[f] = parts[f].to_string_view();
    }
    auto incoming = reader.read_server_message(frames);
    if (!incoming) continue;  // not ours to end for: the lease or the report is sent again
    if (!incoming->secrets.empty()) explicit_bzero(parts[1].data(), parts[1].size());
    core.on_message(incoming->epoch, std::move(incoming->message), std::move(incoming->secrets));
  }
}

}  // namespace slipway::workers
