#include "api/core_api/page.hpp"

#include <fmt/format.h>

namespace slipway::api {

bool wants_html(const Request& request) {
  return request.header("accept").find("text/html") != std::string_view::npos;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Response html_page(std::string_view title, std::string_view body) {
  Response response(
      200,
      fmt::format(
          "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title>"
          "<style>:root{{color-scheme:light dark}}"
          "body{{font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:3em auto;padding:0 1em}}"
          "code{{font-size:1.05em}}pre{{overflow:auto;padding:1em;border:1px solid #8886}}"
          "table{{border-collapse:collapse}}td,th{{text-align:left;vertical-align:top;"
          "padding:.2em 1em .2em 0}}section{{border-top:1px solid #8886;margin-top:2em}}"
          "</style></head><body><main><h1>{0}</h1>{1}</main></body></html>",
          title, body),
      kHtml);
  response.add("Content-Security-Policy",
               "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
  response.add("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace slipway::api
