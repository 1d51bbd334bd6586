#pragma once
// Bytes on their way to a socket, in order. Owned by one connection and used on its I/O thread.
// Small pieces are gathered into one buffer, large ones are kept as they are and never copied.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::api {

class OutQueue {
 public:
  enum class Flushed { All, Blocked, Broken };

  // The buffer that the next small message may be appended to; call commit() after.
  std::string& tail();
  void commit();
  void append(std::string_view bytes);
  void push(std::string bytes);  // takes it over if it is large

  // Writes as much as the socket takes without waiting. Blocked: the rest waits for the next
  // writable event. Broken: the connection is gone.
  Flushed flush(int fd);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

 private:
  void drop(std::size_t written);

  std::vector<std::string> pieces_;  // from first_ on
  std::size_t first_ = 0;
  std::size_t offset_ = 0;  // of the first piece, already written
  std::size_t size_ = 0;
};

}  // namespace slipway::api
