#pragma once
// How nano writes answers: {"error_code", "message", "data"}, indented by two blanks. A failure is
// a 200 with code 500 and empty data, as its clients expect; what keeps a status of its own is
// overload (429, 503) and what the edge refuses before a route is found (404, 405, 413, ...).
#include <string>
#include <string_view>

#include "api/edge/problem.hpp"
#include "core/base/time.hpp"

namespace slipway::api::nano {

// `data` is JSON. 201 and 202 where the specification says so.
Response success(std::string_view data, int status = 200);
// Of a command that has nothing to say: data "".
Response done();
Response failure(std::string_view message);

Response render_error(const ErrorInfo& info);
inline const ErrorRenderer kErrors = render_error;

// JSON without blanks, as a JsonWriter makes it, put on lines of its own: {} and [] stay together.
std::string indented(std::string_view json);

// 2018-01-02 15:04:05, the server's local time.
std::string local_time(base::Time t);
// The same read back; nullopt for anything else.
std::optional<base::Time> parse_local_time(std::string_view text);

}  // namespace slipway::api::nano
