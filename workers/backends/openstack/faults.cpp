#include "workers/backends/openstack/faults.hpp"

#include <algorithm>
#include <charconv>

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr std::size_t kMaxDetail = 400;
constexpr std::int64_t kMaxRetryAfterSeconds = 3600;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// {"itemNotFound": {"code", "message"}}, {"NeutronError": {"type", "message"}},
// {"error": {"title", "message"}}: one member, whatever its name.
struct Words {
  std::string_view message;
  std::string_view type;
};
Words words_of(base::JsonValue json) {
  for (base::JsonObjectIterator it(json); it; ++it) {
    if (const auto text = it.value().string()) return {*text, {}};
    const auto message = it.value().find("message");
    if (!message || !message->string()) continue;
    const auto type = it.value().find("type");
    return {*message->string(), type && type->string() ? *type->string() : std::string_view{}};
  }
  return {};
}

Errc code_of(int status, const Words& words) {
  const bool quota = has(words.message, "uota exceeded") || words.type == "OverQuota";
  switch (status) {
    case 401:
      return Errc::BackendUnavailable;
    case 403:
    case 413:
      return quota ? Errc::QuotaExceeded : Errc::BackendRefused;
    case 404:
      return Errc::NotFound;
    case 409:
      if (quota) return Errc::QuotaExceeded;
      if (has(words.message, "No more IP addresses") ||
          words.type == "IpAddressGenerationFailure") {
        return Errc::CapacityExhausted;
      }
      return has(words.message, " while it is in ") ? Errc::IllegalTransition
                                                    : Errc::BackendRefused;
    case 429:
      return Errc::RateLimited;
    default:
      return status >= 500 && status != 501 ? Errc::BackendUnavailable : Errc::BackendRefused;
  }
}

bool is_no_room(std::string_view message) {
  return has(message, "No valid host") || has(message, "Exhausted all hosts") ||
         has(message, "nsufficient compute resources") || has(message, "No more IP addresses");
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxDetail)) {
    const bool blank = static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ' ';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  // Not in the middle of a character.
  while (text.size() > kMaxDetail && !out.empty() && (out.back() & 0xC0) == 0x80) out.pop_back();
  if (text.size() > kMaxDetail && !out.empty() && (out.back() & 0xC0) == 0xC0) out.pop_back();
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string request_id(const base::HttpResponse& response) {
  std::string_view id = response.header("X-OpenStack-Request-Id");
  if (id.empty()) id = response.header("X-Compute-Request-Id");
  return one_line(id.substr(0, 64));
}

std::optional<base::Duration> retry_after(const base::HttpResponse& response) {
  const std::string_view text = response.header("Retry-After");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kMaxRetryAfterSeconds));
}

BackendError fault_of(const base::HttpResponse& response, base::JsonValue json) {
  const Words words = words_of(json);
  const int status = response.status;
  BackendError error;
  error.code = code_of(status, words);
  error.detail = one_line(words.message);
  if (error.detail.empty()) error.detail = "HTTP status " + std::to_string(status);
  error.backend_request_id = request_id(response);
  error.retry_after = retry_after(response);
  // A proxy's 503 may hide an answer that was given: only Nova's own refusals begin nothing.
  error.without_effect = status < 500;
  error.throttled = status == 429 || ((status == 503 || status == 413) && error.retry_after);
  error.retryable = error.throttled || error.code == Errc::BackendUnavailable;
  return error;
}

BackendError fault_of(const base::HttpError& error, std::string_view who) {
  BackendError out{.code = Errc::BackendUnavailable,
                   .detail = std::string(who) + ": " + error.message,
                   .retryable = true,
                   .without_effect = !error.may_have_been_sent()};
  if (error.kind == base::HttpError::Kind::TooLarge) out.code = Errc::BackendRefused;
  return out;
}

BackendError fault_of_server(base::JsonValue fault) {
  const auto message = fault.find("message");
  const std::string_view words =
      message && message->string() ? *message->string() : std::string_view{};
  return {.code = is_no_room(words) ? Errc::CapacityExhausted : Errc::BackendRefused,
          .detail = words.empty() ? std::string(kNoWords) : one_line(words)};
}

}  // namespace slipway::workers::openstack
