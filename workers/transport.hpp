#pragma once
// The ZeroMQ context that the broker and the workers of one process share (inproc needs the same
// one), and the sockets' names. ZeroMQ itself is spelled only in the .cpp files of this folder.
#include <memory>
#include <string_view>

namespace slipway::workers {

// Where in-process workers find the broker.
inline constexpr std::string_view kInprocEndpoint = "inproc://slipway-broker";

// Make it before every Broker and Worker of the process and destroy it after them.
class Transport {
 public:
  Transport();
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::workers
