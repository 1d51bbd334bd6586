#include "core/base/http_client.hpp"

#include <strings.h>

#include <algorithm>

#include "core/base/http_transfer.hpp"

namespace slipway::base {
namespace {

constexpr int kPollMs = 100;

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

  HttpResult perform(HttpTransfer& transfer);
  CURLcode run(HttpTransfer& transfer);
};

// Until done, stopped or silent for too long.
CURLcode HttpClient::Impl::run(HttpTransfer& transfer) {
  const auto& request = transfer.request;
  for (int running = 1;;) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    curl_multi_poll(multi.get(), nullptr, 0, kPollMs, nullptr);
    if (request.keep_going && !request.keep_going()) {
      transfer.stopped = true;
      return CURLE_ABORTED_BY_CALLBACK;
    }
    const auto silent = std::chrono::steady_clock::now() - transfer.last_byte;
    if (request.idle_timeout.count() > 0 && silent > request.idle_timeout)
      return CURLE_OPERATION_TIMEDOUT;
  }
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return CURLE_FAILED_INIT;
}

HttpResult HttpClient::Impl::perform(HttpTransfer& transfer) {
  const SigpipeHeld sigpipe;
  if (!set_up(easy.get(), transfer)) return tl::unexpected(malformed_request());
  curl_multi_add_handle(multi.get(), easy.get());
  const auto code = run(transfer);
  curl_multi_remove_handle(multi.get(), easy.get());
  return conclude(easy.get(), code, transfer);
}

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {
  init_http();
  impl_->multi.reset(curl_multi_init());
  impl_->easy.reset(curl_easy_init());
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

HttpResult HttpClient::send(const HttpRequest& request) {
  HttpTransfer transfer{request};
  return impl_->perform(transfer);
}

HttpResult HttpClient::stream(const HttpRequest& request, const Sink& sink) {
  HttpTransfer transfer{request, &sink};
  return impl_->perform(transfer);
}

namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

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
