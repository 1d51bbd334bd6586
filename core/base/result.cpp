#include "core/base/result.hpp"

namespace slipway::base {

// A switch without default: a new code does not compile until it has a name.
std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::MalformedJson:
      return "malformed-json";
    case Errc::InvalidArgument:
      return "invalid-argument";
    case Errc::UnprocessableArgument:
      return "invalid-argument";
    case Errc::UnknownCommand:
      return "unknown-command";
    case Errc::UnsupportedMediaType:
      return "unsupported-media-type";
    case Errc::BodyTooLarge:
      return "body-too-large";
    case Errc::Unauthenticated:
      return "unauthenticated";
    case Errc::Forbidden:
      return "forbidden";
    case Errc::NotFound:
      return "not-found";
    case Errc::MethodNotAllowed:
      return "method-not-allowed";
    case Errc::IllegalTransition:
      return "illegal-transition";
    case Errc::ResourceBusy:
      return "resource-busy";
    case Errc::NameTaken:
      return "name-taken";
    case Errc::QuotaExceeded:
      return "quota-exceeded";
    case Errc::VersionMismatch:
      return "version-mismatch";
    case Errc::PreconditionRequired:
      return "precondition-required";
    case Errc::IdempotencyKeyReused:
      return "idempotency-key-reused";
    case Errc::IdempotencyInProgress:
      return "idempotency-in-progress";
    case Errc::MatchChanged:
      return "match-changed";
    case Errc::HistoryTruncated:
      return "history-truncated";
    case Errc::RateLimited:
      return "rate-limited";
    case Errc::QueueFull:
      return "queue-full";
    case Errc::ProjectionBehind:
      return "projection-behind";
    case Errc::ReadOnly:
      return "read-only";
    case Errc::ShuttingDown:
      return "shutting-down";
    case Errc::BackendUnavailable:
      return "backend-unavailable";
    case Errc::BackendRefused:
      return "backend-refused";
    case Errc::CapacityExhausted:
      return "capacity-exhausted";
    case Errc::DeadlineExceeded:
      return "deadline-exceeded";
    case Errc::AttemptsExhausted:
      return "attempts-exhausted";
    case Errc::LeaseLost:
      return "lease-lost";
    case Errc::Cancelled:
      return "cancelled";
    case Errc::StorageFull:
      return "read-only";
    case Errc::Internal:
      return "internal";
  }
  return "internal";
}

Errc errc_from_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Errc::Internal); ++i) {
    const auto code = static_cast<Errc>(i);
    if (errc_name(code) == name) return code;
  }
  return Errc::Internal;
}

}  // namespace slipway::base
