#include "workers/broker.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "workers/transport_impl.hpp"
#include "workers/zap.hpp"

namespace slipway::workers {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int kMessagesATurn = 1000;  // from one socket, before the others are looked at
constexpr std::size_t kMaxFramesLooked = 8;
constexpr std::chrono::milliseconds kLongestWait(5000);  // then whoever watches hears of it

base::Status listen(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
    return {};
  } catch (const zmq::error_t& error) {
    return fail(Errc::InvalidArgument, fmt::format("cannot listen for workers on {}: {}", endpoint,
                                                   zmq_strerror(error.num())));
  }
}

}  // namespace

// A route is a connection's id with the socket's letter before it.
struct Broker::Sockets {
  explicit Sockets(Transport& transport)
      : inproc(transport.impl().context, zmq::socket_type::router),
        tcp(transport.impl().context, zmq::socket_type::router) {}

  bool send(const std::string& route, Frames&& frames);
  void receive(char letter, zmq::socket_t& socket, BrokerCore& core);

  zmq::socket_t inproc;
  zmq::socket_t tcp;
  bool has_tcp = false;
  std::unique_ptr<ZapHandler> zap;  // with CURVE
};

Broker::Broker(const BrokerOptions& options, Input input, OpenSecret open_secret)
    : on_turn_(options.on_turn),
      core_(std::move(input), std::move(open_secret)),
      effects_(options.max_queued_effects) {}

Broker::~Broker() { stop(); }

namespace {

base::Status secure(zmq::socket_t& socket, const BrokerOptions& options) {
  if (const auto workers = read_workers_file(options.workers_file); !workers) {
    return fail(workers.error());
  }
  socket.set(zmq::sockopt::curve_server, 1);
  socket.set(zmq::sockopt::curve_secretkey, std::string(options.keys->secret_key.reveal()));
  socket.set(zmq::sockopt::zap_domain, std::string("slipway"));
  return {};
}

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(Transport& transport, const BrokerOptions& options,
                                              Input input, OpenSecret open_secret) {
  const bool curve = options.keys != nullptr;
  if (!curve && !options.listen.empty() && !is_loopback(options.listen)) {
    return fail(Errc::InvalidArgument, fmt::format("{}: beyond loopback, workers need keys "
                                                   "(broker.secret_key_file, broker.workers_file)",
                                                   options.listen));
  }
  std::unique_ptr<Broker> broker(new Broker(options, std::move(input), std::move(open_secret)));
  broker->sockets_ = std::make_unique<Sockets>(transport);
  Sockets& sockets = *broker->sockets_;
  const ConnectionTimes times{options.handshake_timeout, options.heartbeat_interval,
                              options.heartbeat_timeout};
  for (zmq::socket_t* socket : {&sockets.inproc, &sockets.tcp}) {
    set_limits(*socket, times);
    // Without it a message to a peer that is gone, or full, is lost and "sent".
    socket->set(zmq::sockopt::router_mandatory, 1);
    socket->set(zmq::sockopt::sndhwm, options.send_high_water_mark);
    socket->set(zmq::sockopt::rcvhwm, options.send_high_water_mark);
  }
  if (curve) {
    // Before the socket it guards is bound: without a handler any key would be let in.
    auto zap = ZapHandler::open(transport, options.workers_file);
    if (!zap) return fail(zap.error());
    sockets.zap = std::move(*zap);
    if (const auto status = secure(sockets.tcp, options); !status) return fail(status.error());
  }
  if (const auto status = listen(sockets.inproc, std::string(kInprocEndpoint)); !status) {
    return fail(status.error());
  }
  if (!options.listen.empty()) {
    if (const auto status = listen(sockets.tcp, options.listen); !status) {
      return fail(status.error());
    }
    sockets.has_tcp = true;
    broker->endpoint_ = sockets.tcp.get(zmq::sockopt::last_endpoint);
  }
  broker->core_.set_send([&sockets](const std::string& route, Frames&& frames) {
    return sockets.send(route, std::move(frames));
  });
  broker->thread_ = std::jthread([b = broker.get()](std::stop_token stop) { b->run(stop); });
  return broker;
}

void Broker::post(std::vector<domain::WorkerEffect>&& effects) {
  const std::size_t lost = effects_.post(std::move(effects));
  if (lost != 0) core_.counters().queue_full.fetch_add(lost, std::memory_order_relaxed);
}

void Broker::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  effects_.wake_up().signal();
  thread_.join();
  sockets_.reset();
}

void Broker::run(std::stop_token stop) {
  Sockets& s = *sockets_;
  std::vector<zmq::pollitem_t> items;
  items.push_back({nullptr, effects_.wake_up().fd(), ZMQ_POLLIN, 0});
  items.push_back({s.inproc.handle(), 0, ZMQ_POLLIN, 0});
  if (s.has_tcp) items.push_back({s.tcp.handle(), 0, ZMQ_POLLIN, 0});
  if (s.zap) items.push_back({s.zap->handle(), 0, ZMQ_POLLIN, 0});

  std::vector<domain::WorkerEffect> effects;
  while (true) {
    poll(items, kLongestWait);
    if (on_turn_) on_turn_();
    const bool stopping = stop.stop_requested();
    if (items[0].revents != 0 || stopping) {
      effects_.take_all(effects);
      for (domain::WorkerEffect& effect : effects) core_.on_effect(std::move(effect));
    }
    if (stopping) return;
    if (items[1].revents != 0) s.receive('i', s.inproc, core_);
    if (s.has_tcp && items[2].revents != 0) s.receive('t', s.tcp, core_);
    if (s.zap && items.back().revents != 0) s.zap->serve();
  }
}

bool Broker::Sockets::send(const std::string& route, Frames&& frames) {
  zmq::socket_t& socket = route[0] == 'i' ? inproc : tcp;
  try {
    const zmq::const_buffer id(route.data() + 1, route.size() - 1);
    constexpr auto kMore = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
    if (!socket.send(id, kMore)) return false;  // full: this first frame is the one that fails
    socket.send(zmq::buffer(frames.header), kMore);
    socket.send(body_message(std::move(frames)), zmq::send_flags::dontwait);
    return true;
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return false;
    throw;
  }
}

void Broker::Sockets::receive(char letter, zmq::socket_t& socket, BrokerCore& core) {
  std::vector<zmq::message_t> parts;
  std::vector<std::string_view> frames;
  Peer peer;
  for (int i = 0; i < kMessagesATurn; ++i) {
    parts.clear();
    bool more = true;
    while (more) {
      zmq::message_t part;
      if (!socket.recv(part, zmq::recv_flags::dontwait)) return;  // only ever before a first frame
      more = part.more();
      if (parts.size() < kMaxFramesLooked) parts.push_back(std::move(part));
    }
    peer.route.assign(1, letter);
    peer.route += parts[0].to_string_view();
    peer.admitted = nullptr;
    if (zap && letter == 't') {
      const char* name = zmq_msg_gets(parts.back().handle(), "User-Id");
      peer.admitted = name == nullptr ? nullptr : zap->admitted(name);
      if (peer.admitted == nullptr) continue;  // cannot be: the handshake let nobody else in
    }
    frames.clear();
    for (std::size_t f = 1; f < parts.size(); ++f) {
      note_received(parts[f].data());
      frames.push_back(parts[f].to_string_view());
    }
    core.on_message(peer, frames);
  }
}

}  // namespace slipway::workers
