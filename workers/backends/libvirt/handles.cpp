#include "workers/backends/libvirt/handles.hpp"

#include <fmt/format.h>

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

struct Meaning {
  int code;
  Errc errc;
  bool retryable;
};

// What is not here is refused for good.
constexpr Meaning kMeanings[] = {
    {VIR_ERR_NO_DOMAIN, Errc::NotFound, false},
    {VIR_ERR_NO_STORAGE_VOL, Errc::NotFound, false},
    {VIR_ERR_NO_STORAGE_POOL, Errc::NotFound, false},
    {VIR_ERR_NO_NETWORK, Errc::NotFound, false},
    {VIR_ERR_NO_DOMAIN_SNAPSHOT, Errc::NotFound, false},
    {VIR_ERR_NO_CONNECT, Errc::BackendUnavailable, true},
    {VIR_ERR_INVALID_CONN, Errc::BackendUnavailable, true},
    {VIR_ERR_SYSTEM_ERROR, Errc::BackendUnavailable, true},
    {VIR_ERR_RPC, Errc::BackendUnavailable, true},
    {VIR_ERR_GNUTLS_ERROR, Errc::BackendUnavailable, true},
    {VIR_ERR_AUTH_UNAVAILABLE, Errc::BackendUnavailable, true},
    {VIR_ERR_INTERNAL_ERROR, Errc::BackendUnavailable, true},
    {VIR_ERR_OPERATION_TIMEOUT, Errc::ResourceBusy, true},
    {VIR_ERR_OPERATION_ABORTED, Errc::Cancelled, true},
    {VIR_ERR_NO_MEMORY, Errc::CapacityExhausted, false},
    {VIR_ERR_OPERATION_INVALID, Errc::IllegalTransition, false},
};

bool says(const char* message, std::string_view what) {
  return message != nullptr && std::string_view(message).find(what) != std::string_view::npos;
}

BackendError error_of(const virError& error, const char* doing) {
  BackendError out{.code = Errc::BackendRefused,
                   .detail = fmt::format("cannot {}: {}", doing,
                                         error.message == nullptr ? "unknown" : error.message)};
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != error.code) continue;
    out.code = meaning.errc;
    out.retryable = meaning.retryable;
  }
  out.one_host = out.code == Errc::BackendUnavailable;  // each call is to one daemon
  // Errors of the operating system have one code; only their text tells them apart.
  if (says(error.message, "No space left") || says(error.message, "Cannot allocate memory") ||
      says(error.message, "cannot set up guest memory")) {
    out.code = Errc::CapacityExhausted;
    out.retryable = out.one_host = false;
  }
  return out;
}

}  // namespace

void fail_call(const char* doing) {
  const virError* error = virGetLastError();
  // A failed revert, for one, leaves no error behind.
  if (error == nullptr || error->code == VIR_ERR_OK) {
    throw CallFailed{{.code = Errc::BackendRefused,
                      .detail = fmt::format("cannot {}: libvirt says no more", doing)}};
  }
  throw CallFailed{error_of(*error, doing)};
}

void refuse(Errc code, std::string detail) {
  throw CallFailed{{.code = code, .detail = std::move(detail)}};
}

int last_error() {
  const virError* error = virGetLastError();
  return error == nullptr ? 0 : error->code;
}

}  // namespace slipway::workers::libvirt
