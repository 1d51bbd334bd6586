#include "api/edge/problem.hpp"

#include <string>

#include "api/edge/url.hpp"
#include "core/base/json_write.hpp"

namespace slipway::api {
namespace {

using base::Errc;

// What one Errc looks like from outside.
struct Face {
  int status;
  bool retryable;
  std::string_view title;
};

// The one place that decides. No `default:`: a new code does not compile until it is added here.
Face face_of(Errc code) {
  switch (code) {
    case Errc::MalformedJson:
      return {400, false, "Body is not valid JSON"};
    case Errc::InvalidArgument:
      return {400, false, "Request has an invalid argument"};
    case Errc::UnprocessableArgument:
      return {422, false, "Request can never be carried out"};
    case Errc::UnknownCommand:
      return {400, false, "Command is not known"};
    case Errc::UnsupportedMediaType:
      return {415, false, "Content type is not supported"};
    case Errc::BodyTooLarge:
      return {413, false, "Body is too large"};
    case Errc::Unauthenticated:
      return {401, false, "Identity is missing or wrong"};
    case Errc::Forbidden:
      return {403, false, "Not allowed"};
    case Errc::NotFound:
      return {404, false, "Not found"};
    case Errc::MethodNotAllowed:
      return {405, false, "Method is not allowed here"};
    case Errc::IllegalTransition:
      return {409, false, "Current state forbids it"};
    case Errc::ResourceBusy:
      return {409, true, "Another task is at work on the resource"};
    case Errc::NameTaken:
      return {409, false, "Name is taken"};
    // The client's own allowance: waiting alone does not help, hence neither 429 nor 503.
    case Errc::QuotaExceeded:
      return {403, false, "Quota is used up"};
    case Errc::VersionMismatch:
      return {412, false, "Resource has changed meanwhile"};
    case Errc::PreconditionRequired:
      return {428, false, "If-Match is required"};
    case Errc::IdempotencyKeyReused:
      return {422, false, "Idempotency key was used for another request"};
    case Errc::IdempotencyInProgress:
      return {409, true, "First request with this idempotency key is under way"};
    case Errc::MatchChanged:
      return {409, false, "What the filter matches has changed"};
    case Errc::HistoryTruncated:
      return {410, false, "History that far back is no longer kept"};
    case Errc::RateLimited:
      return {429, true, "Too many requests"};
    case Errc::QueueFull:
      return {503, true, "Queue is full"};
    case Errc::ProjectionBehind:
      return {503, true, "Read model has not caught up yet"};
    case Errc::ReadOnly:
      return {403, false, "Server is read-only"};
    case Errc::ShuttingDown:
      return {503, true, "Server is shutting down"};
    case Errc::BackendUnavailable:
      return {503, true, "Backend is unavailable"};
    case Errc::BackendRefused:
      return {502, false, "Backend refused the request"};
    case Errc::CapacityExhausted:
      return {503, true, "No capacity left"};
    case Errc::DeadlineExceeded:
      return {504, true, "Deadline has passed"};
    // The next five are ends of tasks; as the answer to a request they mean it came too late.
    case Errc::AttemptsExhausted:
      return {409, false, "All attempts have failed"};
    case Errc::LeaseLost:
      return {409, false, "Task lease was lost"};
    case Errc::Cancelled:
      return {409, false, "Task was cancelled"};
    case Errc::StorageFull:
      return {503, true, "Storage is nearly full: reads only"};
    case Errc::Internal:
      return {500, true, "Internal error"};
  }
  return {500, true, "Internal error"};
}

// Texts may quote what a client sent; JSON takes UTF-8 only.
std::string printable(std::string_view text) {
  std::string out(text);
  if (valid_utf8(out)) return out;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

void write_fields(base::JsonWriter& json, const std::vector<base::FieldError>& fields) {
  json.key("errors").begin_array();
  for (const base::FieldError& field : fields) {
    json.begin_object().member("pointer", printable(field.pointer)).member("code", field.code);
    json.member("detail", printable(field.detail)).end_object();
  }
  json.end_array();
}

}  // namespace

int status_of(Errc code) { return face_of(code).status; }
std::string_view title_of(Errc code) { return face_of(code).title; }
bool retryable(Errc code) { return face_of(code).retryable; }

std::string_view code_of(Errc code) {
  if (code == Errc::UnprocessableArgument) return base::errc_name(Errc::InvalidArgument);
  if (code == Errc::StorageFull) return base::errc_name(Errc::ReadOnly);
  return base::errc_name(code);
}

std::optional<int> retry_after_seconds(Errc code) {
  if (code == Errc::StorageFull) return 30;  // somebody must make room first
  if (code == Errc::BackendUnavailable || code == Errc::CapacityExhausted) return 10;
  const int status = status_of(code);
  if (status == 429 || status == 503 || code == Errc::IdempotencyInProgress) return 1;
  return std::nullopt;
}

ErrorInfo error_info(const base::Error& error, std::string_view request_id,
                     std::string_view trace_id) {
  return {error, status_of(error.code), request_id, trace_id, retry_after_seconds(error.code)};
}

Response render_problem(const ErrorInfo& info) {
  const std::string_view code = code_of(info.error.code);
  base::JsonWriter json;
  json.begin_object();
  json.member("type", "/problems/" + std::string(code));
  json.member("title", title_of(info.error.code));
  json.member("status", info.status).member("code", code);
  // Our own faults are told to the log, not to strangers.
  const bool tell = info.error.code != Errc::Internal;
  json.member("detail", tell ? printable(info.error.message) : std::string());
  json.member("instance", "urn:request:" + std::string(info.request_id));
  json.member("request_id", info.request_id).member("trace_id", info.trace_id);
  json.member("retryable", retryable(info.error.code));
  json.member("retry_after_seconds", info.retry_after);
  write_fields(json, info.error.fields);
  json.end_object();

  Response response(info.status, json.text(), kProblemJson);
  if (info.retry_after) response.add("Retry-After", std::to_string(*info.retry_after));
  if (info.status == 401) response.add("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace slipway::api
