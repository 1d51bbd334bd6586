#pragma once
// What runs on each I/O thread: the connections it owns, a mailbox through which other threads
// reach it, a tick for deadlines, and what is cheaper once a thread than once a connection (the
// read buffer, the Date line, random ids).
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/edge/options.hpp"
#include "api/edge/reactor.hpp"
#include "core/base/mutex.hpp"
#include "core/base/uuid.hpp"

namespace slipway::api {

// Something to be done on an I/O thread.
class Mail {
 public:
  virtual ~Mail() = default;
  virtual void on_mail() = 0;
};

// Any thread posts, one I/O thread empties. Outlives the thread: late posts are dropped.
class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Wakes the thread only when the box was empty, so that a batch of answers costs one wake-up.
  void post(std::shared_ptr<Mail> mail);
  void take(std::vector<std::shared_ptr<Mail>>& out);
  void close();
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  void bind_to_this_thread() { owner_.store(std::this_thread::get_id()); }
  bool on_owner_thread() const { return owner_.load() == std::this_thread::get_id(); }

 private:
  const int fd_;
  std::atomic<std::thread::id> owner_{};
  base::Mutex mu_;
  std::vector<std::shared_ptr<Mail>> mail_ GUARDED_BY(mu_);  // shared: an answer's other handles
  bool closed_ GUARDED_BY(mu_) = false;
};

// A connection, as its thread sees it.
class IoClient : public FdHandler {
 public:
  virtual void on_tick(base::SteadyTime now) = 0;
  virtual void on_drain() = 0;
  virtual void close() = 0;

 private:
  friend class IoThread;
  std::size_t slot_ = 0;  // in the thread's list
};

class IoThread final : public LoopClient {
 public:
  explicit IoThread(base::Duration tick);
  ~IoThread() override;

  // Any thread.
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  // Connections it has or is about to get; add_load() by whoever sends it one.
  std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  void add_load() { load_.fetch_add(1, std::memory_order_relaxed); }
  bool ok() const { return mailbox_->ok() && timer_fd_ >= 0; }

  // After the reactor has ended: closes what is open.
  void on_detach();

  // The I/O thread only, from here on.
  bool watch(int fd, FdHandler& handler);
  void unwatch(int fd);
  void adopt(std::shared_ptr<IoClient> client);
  // Forgets a closed client; it is destroyed when the round is over.
  void retire(IoClient& client);
  void drain();
  void each_tick(std::function<void()> call) { each_tick_.push_back(std::move(call)); }
  base::SteadyTime now() const { return now_; }  // of the start of this round
  std::string_view http_date();
  std::span<char> scratch() { return scratch_; }
  base::IdSource& ids() { return ids_; }

  void on_attach(Poller& poller) override;
  void on_round_begin() override;
  void on_round_end() override;

 private:
  class Bell;
  class Timer;
  void read_mail();
  void tick();

  std::shared_ptr<Mailbox> mailbox_;  // shared: Responders outlive the thread
  const int timer_fd_;
  Poller* poller_ = nullptr;
  std::unique_ptr<Bell> bell_;
  std::unique_ptr<Timer> timer_;
  std::vector<std::shared_ptr<Mail>> mail_;
  std::vector<std::shared_ptr<IoClient>> clients_;  // shared: an exchange keeps its connection
  std::vector<std::shared_ptr<IoClient>> retired_;
  std::vector<std::function<void()>> each_tick_;
  std::atomic<std::size_t> load_{0};
  bool bound_ = false;
  base::SteadyTime now_;
  std::string date_;
  std::int64_t date_second_ = -1;
  std::vector<char> scratch_;
  base::SystemIdSource ids_;
};

}  // namespace slipway::api
