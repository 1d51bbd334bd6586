#pragma once
// The tests' peer: an HTTP/1.1 server on a free loopback port that answers from a script and
// remembers what it was asked. It is not the product's server and shares no code with it, so that a
// mistake is not made on both sides alike.
//
//   ScriptedServer server;
//   server.on("GET", "/core/v1/tasks/1", {{200, R"({"id":"1"})"}});   // the last reply repeats
//   ... call server.url() ...
//   EXPECT_EQ(server.requests().at(0).header("accept"), "application/json");
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace slipway::test {

struct Seen {
  std::string method;
  std::string path;                            // without the query
  std::string query;                           // without '?'
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int connection = 0;  // counts from 1
  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

struct Reply {
  int status = 200;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::chrono::milliseconds delay{0};
  bool hang_up = false;               // read the request, then close without a byte of answer
  std::vector<std::string> chunks{};  // if any: a chunked body, one piece each
  std::chrono::milliseconds between_chunks{0};
};

class ScriptedServer {
 public:
  using Handler = std::function<Reply(const Seen&)>;

  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // Exact method and path. Anything else is answered 404 with a problem.
  void on(const std::string& method, const std::string& path, Handler handler);
  // One reply a call, the last one for ever.
  void on(const std::string& method, const std::string& path, std::vector<Reply> replies);

  std::string url() const;
  int port() const { return port_; }
  std::vector<Seen> requests() const;
  std::vector<Seen> requests(const std::string& method, const std::string& path) const;
  // Closes the listener and every connection; later calls are refused.
  void stop();

 private:
  void accept_loop();
  void serve(int fd, int connection);
  bool answer(int fd, const Seen& seen);
  bool sleep(std::chrono::milliseconds time) const;  // false if stopped meanwhile

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Handler> handlers_;
  std::vector<Seen> requests_;
  std::set<int> open_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace slipway::test
