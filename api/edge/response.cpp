#include "api/edge/response.hpp"

#include <charconv>

#include "api/edge/request.hpp"

namespace slipway::api {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_connection(std::string& out, const Framing& framing) {
  if (framing.upgrade) {
    out.append("Connection: Upgrade\r\n");
  } else if (!framing.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (framing.http10) {
    out.append("Connection: keep-alive\r\n");
  }
}

void append_length(std::string& out, const Response& response, const Framing& framing) {
  if (framing.upgrade || framing.until_close || response.status < 200 || response.status == 204) {
    return;
  }
  if (framing.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
    return;
  }
  if (response.status == 304) return;  // it would be that of the body a 200 had
  out.append("Content-Length: ");
  append_number(out, response.body.size());
  out.append("\r\n");
}

}  // namespace

Response& Response::add(std::string_view name, std::string_view value) {
  header_lines_.append(name).append(": ");
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') header_lines_.push_back(c);
  }
  header_lines_.append("\r\n");
  return *this;
}

std::optional<std::string_view> Response::find(std::string_view name) const {
  std::string_view rest = header_lines_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    if (iequals(line.substr(0, colon), name)) return line.substr(colon + 2);
  }
  return std::nullopt;
}

void render_head(std::string& out, const Response& response, const Framing& framing) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(status_text(response.status)).append("\r\n");
  append_line(out, "Date", framing.date);
  if (!framing.request_id.empty()) append_line(out, "X-Request-Id", framing.request_id);
  const bool has_body = !response.body.empty() || framing.chunked || framing.until_close;
  if (has_body && !response.type.text().empty()) {
    append_line(out, "Content-Type", response.type.text());
  }
  append_length(out, response, framing);
  append_connection(out, framing);
  out.append(response.header_lines()).append("\r\n");
}

bool sends_body(int status, bool head_only) {
  return !head_only && status >= 200 && status != 204 && status != 304;
}

std::string_view status_text(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace slipway::api
