#pragma once
// What a cloud's refusal, or its silence, means for a task. The cloud's own words and request id
// reach the task's error; nothing of what we sent does.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/http_client.hpp"
#include "core/base/json_read.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers::openstack {

// Of an answer of 400 or more. `json` is its body, or null if that is none.
BackendError fault_of(const base::HttpResponse& response, base::JsonValue json);
// Of a call that got no answer. `who`: "nova", "keystone".
BackendError fault_of(const base::HttpError& error, std::string_view who);
// Of a server in ERROR: its "fault" object, or null, of which there is but this to say.
inline constexpr std::string_view kNoWords = "the server is in ERROR";
BackendError fault_of_server(base::JsonValue fault);

// "X-OpenStack-Request-Id", in whichever spelling; empty if there is none.
std::string request_id(const base::HttpResponse& response);
// In whole seconds, or a date; at most an hour is believed.
std::optional<base::Duration> retry_after(const base::HttpResponse& response);

// Fit for an error's detail: one line, at most 400 bytes, no control characters.
std::string one_line(std::string_view text);

// For an answer after which something may have been begun all the same.
inline BackendError after_effect(BackendError error) {
  error.without_effect = false;
  return error;
}
// Refused by us, before any call.
inline BackendError refusal(base::Errc code, std::string detail) {
  return {.code = code, .detail = std::move(detail), .without_effect = true};
}

}  // namespace slipway::workers::openstack
