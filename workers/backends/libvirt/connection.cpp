#include "workers/backends/libvirt/connection.hpp"

#include <fmt/format.h>

#include <csignal>
#include <thread>

namespace slipway::workers::libvirt {

namespace {

constexpr unsigned kKeepaliveTries = 3;

// Keepalive and close callbacks need a thread in the loop for as long as anything is connected, and
// a call that hangs may be until the process ends. So it runs until then.
void run_event_loop() {
  while (true) {
    if (virEventRunDefaultImpl() < 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Connection open_now(const CellOptions& cell, std::uint32_t keepalive_seconds) {
  const Connection connection(virConnectOpen(cell.uri.c_str()), [](virConnectPtr c) {
    if (c != nullptr) virConnectClose(c);
  });
  if (connection == nullptr) {
    try {
      fail_call("connect");
    } catch (CallFailed& failed) {
      failed.error.detail = fmt::format("{}: {}", cell.name, failed.error.detail);
      failed.error.code = base::Errc::BackendUnavailable;
      failed.error.retryable = failed.error.without_effect = failed.error.one_host = true;
      throw;
    }
  }
  // Drivers within the process have none, and need none.
  virConnectSetKeepAlive(connection.get(), static_cast<int>(keepalive_seconds), kKeepaliveTries);
  return connection;
}

}  // namespace

void start_library() {
  static const bool started = [] {
    virInitialize();
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT: a daemon that dies would end the process
    virEventRegisterDefaultImpl();
    static std::thread* loop = new std::thread(run_event_loop);  // NOLINT: for the process's life
    return loop->joinable();
  }();
  (void)started;
}

Cell::Cell(CellOptions options, base::Duration connect_timeout, std::uint32_t keepalive_seconds)
    : options_(std::move(options)),
      connect_timeout_(connect_timeout),
      keepalive_seconds_(keepalive_seconds) {}

Connection Cell::connection() {
  Opening opening;
  Connection dead;  // closed without the lock
  {
    base::Lock lock(mu_);
    if (open_ != nullptr && virConnectIsAlive(open_.get()) == 1) return open_;
    dead = std::move(open_);
    if (!opening_.valid()) opening_ = begin_opening();
    opening = opening_;
  }
  return wait_for(opening);
}

Connection Cell::separate_connection() {
  const Opening opening = begin_opening();
  if (opening.wait_for(connect_timeout_) == std::future_status::ready) return opening.get();
  throw CallFailed{{.code = base::Errc::BackendUnavailable,
                    .detail = fmt::format("{} does not answer", name()),
                    .retryable = true,
                    .without_effect = true,
                    .one_host = true}};
}

// On a thread of its own, for virConnectOpen has no limit; it ends when the daemon answers or dies.
Cell::Opening Cell::begin_opening() const {
  std::promise<Connection> promise;
  Opening opening = promise.get_future().share();
  std::thread([cell = options_, seconds = keepalive_seconds_,
               promise = std::move(promise)]() mutable {
    try {
      promise.set_value(open_now(cell, seconds));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }).detach();
  return opening;
}

Connection Cell::wait_for(const Opening& opening) {
  if (opening.wait_for(connect_timeout_) != std::future_status::ready) {
    throw CallFailed{{.code = base::Errc::BackendUnavailable,
                      .detail = fmt::format("{} does not answer", name()),
                      .retryable = true,
                      .without_effect = true,
                      .one_host = true}};
  }
  Connection connection;
  std::exception_ptr failed;
  try {
    connection = opening.get();
  } catch (...) {
    failed = std::current_exception();
  }
  base::Lock lock(mu_);
  opening_ = {};
  if (failed) std::rethrow_exception(failed);
  if (open_ == nullptr) open_ = connection;
  return open_;
}

std::string Cell::host_name() {
  const Connection c = connection();
  return text_of(virConnectGetHostname(c.get()), "ask for the host's name");
}

}  // namespace slipway::workers::libvirt
