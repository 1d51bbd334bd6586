#include "core/base/http_client.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace slipway::base {
namespace {

using Kind = HttpError::Kind;
using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr int kPollMs = 100;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  // The head moves only when the list was empty.
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

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

// One call's state, shared with the library's callbacks.
struct Transfer {
  const HttpRequest& request;
  const HttpClient::Sink* sink = nullptr;
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  bool stopped = false;
  SteadyClock::time_point last_byte = SteadyClock::now();
};

int status_of(std::string_view line) {
  const auto space = line.find(' ');
  int status = 0;
  if (space != std::string_view::npos)
    std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::strchr(" \t\r\n", text.front())) text.remove_prefix(1);
  while (!text.empty() && std::strchr(" \t\r\n", text.back())) text.remove_suffix(1);
  return text;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  transfer.last_byte = SteadyClock::now();
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // of the answer itself, after any interim ones
    transfer.response = {};
    transfer.response.status = status_of(line);
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    transfer.response.headers.push_back(
        {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  }
  return line.size();
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view piece(data, size * count);
  transfer.last_byte = SteadyClock::now();
  if (transfer.response.body.size() + piece.size() > transfer.request.max_body_bytes) {
    transfer.too_large = true;
    return 0;
  }
  if (transfer.sink == nullptr) {
    transfer.response.body += piece;
  } else if (!(*transfer.sink)(transfer.response, piece)) {
    transfer.stopped = true;
    return 0;
  }
  return piece.size();
}

IpAddress ip_of(const curl_sockaddr& peer) {
  IpAddress out;
  if (peer.family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &peer.addr, std::min(sizeof v6, std::size_t{peer.addrlen}));
    std::memcpy(out.bytes.data(), &v6.sin6_addr, 16);
    return out;
  }
  sockaddr_in v4;
  std::memcpy(&v4, &peer.addr, sizeof v4);
  out.bytes[10] = out.bytes[11] = 0xff;
  std::memcpy(&out.bytes[12], &v4.sin_addr, 4);
  return out;
}

// The second lock on a pinned address: whatever the library made of the name, no other is called.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* peer) {
  const auto& request = static_cast<Transfer*>(user)->request;
  if (!request.address.empty() && parse_ip(request.address) != ip_of(*peer)) return CURL_SOCKET_BAD;
  return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::strchr("!#$%&'*+-.^_`|~", c);
  });
}

bool is_sendable(const HttpRequest& request) {
  const auto clean = [](const HttpHeader& header) {
    return is_token(header.name) &&
           header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  };
  return is_token(request.method) &&
         std::all_of(request.headers.begin(), request.headers.end(), clean);
}

List header_list(const HttpRequest& request) {
  List list;
  append(list, "Expect:");  // no 100-continue: a small body is cheaper than a round trip
  append(list, "Transfer-Encoding:");
  bool typed = false, agent = false;
  for (const auto& [name, value] : request.headers) {
    typed |= strcasecmp(name.c_str(), "content-type") == 0;
    agent |= strcasecmp(name.c_str(), "user-agent") == 0;
    append(list, value.empty() ? name + ";" : name + ": " + value);
  }
  if (!typed) append(list, "Content-Type:");
  if (!agent) append(list, "User-Agent: slipway");
  return list;
}

HttpError explain(CURLcode code, const Transfer& transfer, bool sent) {
  if (transfer.too_large) {
    return {Kind::TooLarge,
            "the answer is over " + std::to_string(transfer.request.max_body_bytes) + " bytes"};
  }
  if (transfer.stopped) return {Kind::Stopped, "stopped"};
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return {Kind::Invalid, "not an http or https URL"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Kind::Resolve, "host name has no address"};
    case CURLE_COULDNT_CONNECT:
      return {Kind::Connect, "connection refused"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Kind::Tls, "the server's certificate is not trusted"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return {Kind::Tls, "TLS handshake failed"};
    case CURLE_OPERATION_TIMEDOUT:
      if (sent) return {Kind::Timeout, "no answer in time"};
      return {Kind::Connect, "connecting took too long"};
    default:
      if (sent) return {Kind::Broken, "connection ended before the answer was whole"};
      return {Kind::Connect, "cannot connect"};
  }
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (header.name.size() == name.size() &&
        strncasecmp(header.name.data(), name.data(), name.size()) == 0)
      return header.value;
  }
  return {};
}

struct HttpClient::Impl {
  std::unique_ptr<CURLM, FreeMulti> multi;  // holds the kept connections
  std::unique_ptr<CURL, FreeEasy> easy;

  HttpResult perform(Transfer& transfer);
  void set_up(Transfer& transfer);
  CURLcode run(Transfer& transfer);
};

void HttpClient::Impl::set_up(Transfer& transfer) {
  const auto& request = transfer.request;
  CURL* h = easy.get();
  curl_easy_reset(h);
  curl_easy_setopt(h, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(h, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(h, CURLOPT_PROXY, "");
  curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(h, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  if (!request.ca_file.empty()) curl_easy_setopt(h, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(h, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, &transfer);
  if (request.method == "HEAD") curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

// Until done, stopped or silent for too long.
CURLcode HttpClient::Impl::run(Transfer& transfer) {
  const auto& request = transfer.request;
  for (int running = 1;;) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    curl_multi_poll(multi.get(), nullptr, 0, kPollMs, nullptr);
    if (request.keep_going && !request.keep_going()) {
      transfer.stopped = true;
      return CURLE_ABORTED_BY_CALLBACK;
    }
    const auto silent = SteadyClock::now() - transfer.last_byte;
    if (request.idle_timeout.count() > 0 && silent > request.idle_timeout)
      return CURLE_OPERATION_TIMEDOUT;
  }
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return CURLE_FAILED_INIT;
}

HttpResult HttpClient::Impl::perform(Transfer& transfer) {
  if (!is_sendable(transfer.request))
    return tl::unexpected(HttpError{Kind::Invalid, "the method or a header is malformed"});
  const SigpipeHeld sigpipe;
  set_up(transfer);
  const auto headers = header_list(transfer.request);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  List pin;
  if (const auto ip = parse_ip(transfer.request.address)) {
    append(pin, ip->is_v4() ? "::" + to_string(*ip) + ":" : "::[" + to_string(*ip) + "]:");
    curl_easy_setopt(easy.get(), CURLOPT_CONNECT_TO, pin.get());
  } else if (!transfer.request.address.empty()) {
    return tl::unexpected(HttpError{Kind::Invalid, "the address to connect to is malformed"});
  }
  curl_multi_add_handle(multi.get(), easy.get());
  const auto code = run(transfer);
  curl_off_t pretransfer = 0;  // stays 0 until the request is about to be sent
  curl_easy_getinfo(easy.get(), CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  curl_multi_remove_handle(multi.get(), easy.get());
  if (code != CURLE_OK) return tl::unexpected(explain(code, transfer, pretransfer > 0));
  return std::move(transfer.response);
}

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {
  static const auto initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
  impl_->multi.reset(curl_multi_init());
  impl_->easy.reset(curl_easy_init());
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

HttpResult HttpClient::send(const HttpRequest& request) {
  Transfer transfer{request, nullptr, {}, 0, false, false, SteadyClock::now()};
  return impl_->perform(transfer);
}

HttpResult HttpClient::stream(const HttpRequest& request, const Sink& sink) {
  Transfer transfer{request, &sink, {}, 0, false, false, SteadyClock::now()};
  return impl_->perform(transfer);
}

namespace {

// Empty if the URL lacks that part.
std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

Result<std::string> check_http_target(const std::string& url, const TargetPolicy& policy,
                                      const Resolver& resolve) {
  const auto refuse = [](const char* why) { return fail(Errc::UnprocessableArgument, why); };
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return refuse("the target is not a URL");
  const auto scheme = url_part(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "https" && !(policy.allow_http && scheme == "http"))
    return refuse(policy.allow_http ? "the target must be an http or https URL"
                                    : "the target must be an https URL");
  if (!url_part(parsed.get(), CURLUPART_USER).empty() ||
      !url_part(parsed.get(), CURLUPART_PASSWORD).empty())
    return refuse("the target's URL may not hold a user or password");
  const auto port = std::stoi(url_part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  const bool plain = policy.allow_http && (port == 80 || port == 8080);
  if (!plain && std::find(policy.ports.begin(), policy.ports.end(), port) == policy.ports.end())
    return refuse("the target's port is not allowed");
  auto host = url_part(parsed.get(), CURLUPART_HOST);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto addresses = resolve_checked(host, policy.addresses, resolve);
  if (!addresses) return fail(addresses.error());
  return to_string(addresses->front());
}

}  // namespace slipway::base
