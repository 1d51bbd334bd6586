#pragma once
// Pages for people: written whole by the server, without a script and without a request to any
// other host, so that they work where there is no internet.
#include <string>
#include <string_view>

#include "api/edge/request.hpp"
#include "api/edge/response.hpp"

namespace slipway::api {

bool wants_html(const Request& request);
std::string html_escaped(std::string_view text);
// `title` and `body` are HTML.
Response html_page(std::string_view title, std::string_view body);

}  // namespace slipway::api
