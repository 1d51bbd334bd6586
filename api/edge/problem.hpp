#pragma once
// Errors as clients see them. One switch (status_of) decides for every Errc what a client gets; a
// new code does not compile until somebody has decided.
#include <functional>
#include <optional>
#include <string_view>

#include "api/edge/response.hpp"
#include "core/base/result.hpp"

namespace slipway::api {

int status_of(base::Errc code);
std::string_view title_of(base::Errc code);  // a sentence without the full stop
// The `code` of the body: that of the Errc, but the two that only differ in status share one.
std::string_view code_of(base::Errc code);
// Whether the same request may succeed later without anything in it being changed.
bool retryable(base::Errc code);
// Whole seconds for Retry-After: set for every 429 and 503.
std::optional<int> retry_after_seconds(base::Errc code);

// What a renderer needs to write an error in its own form. Views live during the call.
struct ErrorInfo {
  const base::Error& error;
  int status;  // usually status_of(error.code); 414, 431, 408 and such for the edge's own refusals
  std::string_view request_id;
  std::string_view trace_id;
  std::optional<int> retry_after = std::nullopt;
};
// The form of a listener's or a dialect's errors. Any thread; must not throw.
using ErrorRenderer = std::function<Response(const ErrorInfo&)>;

// application/problem+json, RFC 9457: the core API's form and the default everywhere.
Response render_problem(const ErrorInfo& info);

ErrorInfo error_info(const base::Error& error, std::string_view request_id,
                     std::string_view trace_id);

}  // namespace slipway::api
