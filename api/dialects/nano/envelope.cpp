#include "api/dialects/nano/envelope.hpp"

#include <fmt/format.h>

#include <ctime>

#include "core/base/json_write.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr int kFailed = 500;

Response envelope(int status, int code, std::string_view message, std::string_view data) {
  base::JsonWriter w;
  w.begin_object().member("error_code", code).member("message", message);
  w.member("data", base::RawJson{std::string(data)}).end_object();
  return Response(status, indented(w.view()));
}

// Failures of the server's own capacity: clients see them by the status.
bool keeps_status(const ErrorInfo& info) {
  switch (info.error.code) {
    case Errc::BodyTooLarge:
    case Errc::MethodNotAllowed:
    case Errc::RateLimited:
    case Errc::QueueFull:
    case Errc::ProjectionBehind:
    case Errc::ShuttingDown:
    case Errc::StorageFull:
      return true;
    default:  // one that the edge found by itself (414, 431, 408, ...) has another status
      return info.status != status_of(info.error.code);
  }
}

// Of members that are wrong the first says more than that one is.
std::string message_of(const base::Error& error) {
  if (error.code == Errc::Unauthenticated) return "unauthenticated request";
  if (error.code == Errc::Internal) return "internal error";
  if (error.fields.empty()) return error.message;
  const base::FieldError& field = error.fields.front();
  if (!field.detail.starts_with("must") || field.pointer.empty()) return field.detail;
  return fmt::format("'{}' {}", field.pointer.substr(1), field.detail);
}

std::tm local(std::time_t seconds) {
  std::tm tm{};
  localtime_r(&seconds, &tm);
  return tm;
}

}  // namespace

Response success(std::string_view data, int status) { return envelope(status, 0, "", data); }
Response done() { return success("\"\""); }
Response failure(std::string_view message) { return envelope(200, kFailed, message, "{}"); }

Response render_error(const ErrorInfo& info) {
  Response response =
      envelope(keeps_status(info) ? info.status : 200, kFailed, message_of(info.error), "{}");
  if (info.retry_after) response.add("Retry-After", fmt::to_string(*info.retry_after));
  return response;
}

std::string indented(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  std::size_t depth = 0;
  bool in_text = false;
  const auto line = [&] {
    out.push_back('\n');
    out.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      out.push_back(c);
      if (c == '\\') {
        out.push_back(json[++i]);
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      if (json[i + 1] == c + 2) {  // '}' and ']' come two after their openers
        out.push_back(json[++i]);
      } else {
        ++depth;
        line();
      }
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out.push_back(c);
    } else if (c == ',') {
      out.push_back(c);
      line();
    } else {
      out.push_back(c);
      if (c == ':') out.push_back(' ');
      in_text = c == '"';
    }
  }
  return out;
}

std::string local_time(base::Time t) {
  const std::tm tm = local(static_cast<std::time_t>(base::to_us(t) / 1'000'000));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

std::optional<base::Time> parse_local_time(std::string_view text) {
  std::tm tm{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%d %H:%M:%S", &tm);
  if (end == nullptr || *end != '\0') return std::nullopt;
  tm.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&tm);
  if (seconds == -1) return std::nullopt;
  return base::from_us(std::int64_t{seconds} * 1'000'000);
}

}  // namespace slipway::api::nano
