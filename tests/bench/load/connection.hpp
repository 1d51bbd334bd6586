#pragma once
// One keep-alive connection of a load generator: sends a request that was built before, and says
// when its answer is complete. One request at a time. Whatever is not as it should be ends the
// program with a message: a load that was not carried out is no figure.
#include <array>
#include <cstdint>
#include <string_view>

namespace slipway::bench {

[[noreturn]] void die(std::string_view what);

class Connection {
 public:
  Connection() = default;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // To 127.0.0.1; and into `epoll` for reading, with `number` as its data.
  void open(std::uint16_t port, int epoll, std::uint32_t number);
  void send(std::string_view request);
  // Takes what has arrived; true once the answer is complete. `status` and `body` then hold, until
  // the next send().
  bool receive();

  int status() const { return status_; }
  std::string_view body() const { return {in_.data() + head_, used_ - head_}; }

  std::int64_t sent_at_us = 0;  // the caller's own: when it was sent, or should have been

 private:
  void parse_head();

  int fd_ = -1;
  int status_ = 0;
  std::size_t used_ = 0;
  std::size_t head_ = 0;  // length of the head, once it is there
  std::size_t whole_ = 0;
  std::array<char, 8192> in_;
};

}  // namespace slipway::bench
