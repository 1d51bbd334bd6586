#include "core/base/http_transfer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace slipway::base {
namespace {

using Kind = HttpError::Kind;
using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

void append(List& list, const std::string& line) {
  // The head moves only when the list was empty.
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

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
  auto& transfer = *static_cast<HttpTransfer*>(user);
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
  auto& transfer = *static_cast<HttpTransfer*>(user);
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
  const auto& request = static_cast<HttpTransfer*>(user)->request;
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

HttpError explain(CURLcode code, const HttpTransfer& transfer, bool sent) {
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

// No seek function goes with it: so the library cannot begin anew with a request that it has begun
// to send, whatever it thinks of the connection.
std::size_t read_body(char* out, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<HttpTransfer*>(user);
  const std::string& body = transfer.request.body;
  const std::size_t piece = std::min(size * count, body.size() - transfer.body_sent);
  std::memcpy(out, body.data() + transfer.body_sent, piece);
  transfer.body_sent += piece;
  return piece;
}

void set_body(CURL* h, HttpTransfer& transfer) {
  const HttpRequest& request = transfer.request;
  const auto size = static_cast<curl_off_t>(request.body.size());
  if (request.send_once && size > 0) {
    curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(h, CURLOPT_READDATA, &transfer);
  } else {
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, size);
}

bool pin_address(CURL* h, HttpTransfer& transfer) {
  if (transfer.request.address.empty()) return true;
  const auto ip = parse_ip(transfer.request.address);
  if (!ip) return false;
  append(transfer.pin, ip->is_v4() ? "::" + to_string(*ip) + ":" : "::[" + to_string(*ip) + "]:");
  curl_easy_setopt(h, CURLOPT_CONNECT_TO, transfer.pin.get());
  return true;
}

}  // namespace

void init_http() {
  static const auto initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
}

bool set_up(CURL* h, HttpTransfer& transfer) {
  const auto& request = transfer.request;
  if (!is_sendable(request)) return false;
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
  const bool fresh = request.fresh_connection || (request.send_once && request.body.empty());
  curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  if (!request.ca_file.empty()) curl_easy_setopt(h, CURLOPT_CAINFO, request.ca_file.c_str());
  if (!request.verify_tls) {
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(h, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, &transfer);
  if (request.method == "HEAD") curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    set_body(h, transfer);
  }
  curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  transfer.headers = header_list(request);
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, transfer.headers.get());
  return pin_address(h, transfer);
}

HttpResult conclude(CURL* easy, CURLcode code, HttpTransfer& transfer) {
  curl_off_t pretransfer = 0;  // stays 0 until the request is about to be sent
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  if (code != CURLE_OK) return tl::unexpected(explain(code, transfer, pretransfer > 0));
  return std::move(transfer.response);
}

}  // namespace slipway::base
