#pragma once
// ZeroMQ's authentication protocol (RFC 27): libzmq asks us about each handshake. Only a CURVE key
// of the workers file is let in; its name becomes the connection's user id.
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "workers/curve_keys.hpp"
#include "workers/transport.hpp"

namespace slipway::workers {

// On the broker's thread.
class ZapHandler {
 public:
  // One a Transport. The file is read again for each handshake, so that a new or a removed key
  // counts at once for new connections.
  static base::Result<std::unique_ptr<ZapHandler>> open(Transport& transport,
                                                        std::string workers_file);
  ~ZapHandler();

  void* handle();  // of the socket, to poll
  void serve();    // answers all that is asked
  // The worker of that name as its last handshake found it; stays valid. Null if there was none.
  const AdmittedWorker* admitted(std::string_view name) const;

 private:
  struct Socket;
  ZapHandler(std::unique_ptr<Socket> socket, std::string workers_file);
  const AdmittedWorker* admit(std::string_view mechanism, std::string_view key);

  std::unique_ptr<Socket> socket_;
  std::string workers_file_;
  std::map<std::string, AdmittedWorker, std::less<>> admitted_;
};

}  // namespace slipway::workers
