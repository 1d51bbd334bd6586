#pragma once
// For core/base/http_*.cpp only: one request as libcurl runs it, shared by HttpClient (blocking)
// and HttpLoop (many at once). Nobody else sees the library's types.
#include <curl/curl.h>

#include <chrono>
#include <csignal>
#include <memory>

#include "core/base/http_client.hpp"

namespace slipway::base {

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

// A TLS write to a connection that the server closed raises SIGPIPE, which would end the process.
// The library can ignore the signal only for all threads at once, which is not ours to decide, so
// it is held back on this thread and taken away if it came.
class SigpipeHeld {
 public:
  SigpipeHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeHeld() {
    constexpr timespec kNow{0, 0};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &kNow) > 0) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeHeld(const SigpipeHeld&) = delete;
  SigpipeHeld& operator=(const SigpipeHeld&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

// One call's state, shared with the library's callbacks: it stays where it is until the call is
// over.
struct HttpTransfer {
  const HttpRequest& request;
  const HttpClient::Sink* sink = nullptr;
  HttpResponse response{};
  std::size_t header_bytes = 0;
  std::size_t body_sent = 0;
  bool too_large = false;
  bool stopped = false;
  std::chrono::steady_clock::time_point last_byte = std::chrono::steady_clock::now();
  List headers{};
  List pin{};
};

// Once a process, before anything else of the library; any thread.
void init_http();
// Resets `easy` and prepares it; false for a malformed method, header or address.
bool set_up(CURL* easy, HttpTransfer& transfer);
// What the library ended with, in our words; after set_up() was true and the call is over.
HttpResult conclude(CURL* easy, CURLcode code, HttpTransfer& transfer);
inline HttpError malformed_request() {
  return {HttpError::Kind::Invalid, "the method, a header or the address is malformed"};
}

}  // namespace slipway::base
