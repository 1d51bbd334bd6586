#include "api/edge/io_thread.hpp"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "core/base/check.hpp"

namespace slipway::api {
namespace {

constexpr std::size_t kScratchBytes = 64 << 10;

int make_timer(base::Duration tick) {
  const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return fd;
  itimerspec spec{};
  spec.it_interval.tv_sec = tick.count() / 1000000;
  spec.it_interval.tv_nsec = tick.count() % 1000000 * 1000;
  spec.it_value = spec.it_interval;
  ::timerfd_settime(fd, 0, &spec, nullptr);
  return fd;
}

// Empties an eventfd or a timerfd. One read does; whether it found something does not matter.
void swallow(int fd) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd, &count, sizeof count);
}

base::SteadyTime steady_now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

}  // namespace

Mailbox::Mailbox() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
Mailbox::~Mailbox() {
  if (fd_ >= 0) ::close(fd_);
}

void Mailbox::post(std::shared_ptr<Mail> mail) {
  {
    base::Lock lock(mu_);
    if (closed_) return;
    mail_.push_back(std::move(mail));
    if (mail_.size() > 1) return;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
}

void Mailbox::take(std::vector<std::shared_ptr<Mail>>& out) {
  base::Lock lock(mu_);
  out.swap(mail_);
}

void Mailbox::close() {
  std::vector<std::shared_ptr<Mail>> dropped;  // destroyed outside the lock: it may post
  base::Lock lock(mu_);
  closed_ = true;
  dropped.swap(mail_);
}

class IoThread::Bell final : public FdHandler {
 public:
  explicit Bell(IoThread& thread) : thread_(thread) {}
  void on_io(IoEvents events) override {
    if (events.readable) thread_.read_mail();
  }

 private:
  IoThread& thread_;
};

class IoThread::Timer final : public FdHandler {
 public:
  explicit Timer(IoThread& thread) : thread_(thread) {}
  void on_io(IoEvents events) override {
    if (events.readable) thread_.tick();
  }

 private:
  IoThread& thread_;
};

IoThread::IoThread(base::Duration tick)
    : mailbox_(std::make_shared<Mailbox>()),
      timer_fd_(make_timer(tick)),
      bell_(std::make_unique<Bell>(*this)),
      timer_(std::make_unique<Timer>(*this)),
      now_(steady_now()),
      scratch_(kScratchBytes) {}

IoThread::~IoThread() {
  on_detach();
  if (timer_fd_ >= 0) ::close(timer_fd_);
}

bool IoThread::watch(int fd, FdHandler& handler) { return poller_->watch(fd, handler); }
void IoThread::unwatch(int fd) {
  if (poller_ != nullptr) poller_->unwatch(fd);
}

void IoThread::on_detach() {
  poller_ = nullptr;
  const auto open = clients_;  // close() takes them out of the list
  for (const auto& client : open) client->close();
  mailbox_->close();
  retired_.clear();
}

void IoThread::on_attach(Poller& poller) {
  poller_ = &poller;
  poller.watch(mailbox_->fd(), *bell_);
  poller.watch(timer_fd_, *timer_);
}

void IoThread::on_round_begin() {
  if (!bound_) {
    mailbox_->bind_to_this_thread();
    bound_ = true;
  }
  now_ = steady_now();
}

void IoThread::on_round_end() { retired_.clear(); }

void IoThread::adopt(std::shared_ptr<IoClient> client) {
  client->slot_ = clients_.size();
  clients_.push_back(std::move(client));
}

void IoThread::retire(IoClient& client) {
  const std::size_t slot = client.slot_;
  CHECK(slot < clients_.size() && clients_[slot].get() == &client, "slot {}", slot);
  load_.fetch_sub(1, std::memory_order_relaxed);
  retired_.push_back(std::move(clients_[slot]));
  if (slot + 1 < clients_.size()) {
    clients_[slot] = std::move(clients_.back());
    clients_[slot]->slot_ = slot;
  }
  clients_.pop_back();
}

void IoThread::drain() {
  const auto open = clients_;
  for (const auto& client : open) client->on_drain();
}

std::string_view IoThread::http_date() {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &wall);
  if (wall.tv_sec != date_second_) {
    date_second_ = wall.tv_sec;
    date_ = base::http_date(base::from_us(date_second_ * 1000000));
  }
  return date_;
}

void IoThread::read_mail() {
  swallow(mailbox_->fd());
  mailbox_->take(mail_);
  for (const auto& mail : mail_) mail->on_mail();
  mail_.clear();
}

void IoThread::tick() {
  swallow(timer_fd_);
  for (const auto& call : each_tick_) call();
  // By index: on_tick may close the client, which moves the last one into its place.
  for (std::size_t i = clients_.size(); i > 0; --i) {
    if (i <= clients_.size()) clients_[i - 1]->on_tick(now_);
  }
}

}  // namespace slipway::api
