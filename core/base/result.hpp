#pragma once
// Expected failures are values: bad input, a lost lease, a backend that refused. A dropped Result
// is a compiler warning, hence an error. Say what you were doing in `message`; it reaches clients,
// so it never holds a secret or a library's text.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace slipway::base {

// The stable problem codes of the core API, each documented at /problems/{code}. Stored in events
// by name, never by number.
enum class Errc : std::uint8_t {
  MalformedJson,
  InvalidArgument,
  UnprocessableArgument,  // well-formed, but can never work (422); same code as InvalidArgument
  UnknownCommand,
  UnsupportedMediaType,
  BodyTooLarge,
  Unauthenticated,
  Forbidden,
  NotFound,
  MethodNotAllowed,
  IllegalTransition,
  ResourceBusy,
  NameTaken,
  QuotaExceeded,
  VersionMismatch,
  PreconditionRequired,
  IdempotencyKeyReused,
  IdempotencyInProgress,
  MatchChanged,
  HistoryTruncated,
  RateLimited,
  QueueFull,
  ProjectionBehind,
  ReadOnly,
  ShuttingDown,
  BackendUnavailable,
  BackendRefused,
  CapacityExhausted,
  DeadlineExceeded,
  AttemptsExhausted,
  LeaseLost,
  Cancelled,
  StorageFull,  // below the low-water mark (503); same code as ReadOnly
  Internal,
};

// "malformed-json", ...; never empty.
std::string_view errc_name(Errc code);
// The code with that name, or Internal for one this version does not know.
Errc errc_from_name(std::string_view name);

// One field of a request that is wrong; all of them are reported at once.
struct FieldError {
  std::string pointer;  // JSON pointer into the request body, e.g. "/args/flavor"
  std::string code;     // e.g. "unknown-flavor"
  std::string detail;
};

struct Error {
  Errc code = Errc::Internal;
  std::string message;
  std::vector<FieldError> fields;
};

template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
};
using Status = Result<void>;

inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace slipway::base
