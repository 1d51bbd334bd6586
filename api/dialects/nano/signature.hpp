#pragma once
// The signed core side: Nano-Authorization names a credential and signs method name, date, scope
// and the hash of the request with a key that is known to both sides.
//
//   Nano-Authorization: Nano-HMAC-SHA256 Credential=<id>/<scope>, SignedHeaders=<a;b>,
//                       Signature=<hex>
//   Nano-Date: RFC 3339, of this day;   Nano-Scope: <yyyymmdd>/<zone>/nano_request
//
//   request hash = SHA-256 of: path, escaped twice \n sorted query \n signed header lines \n
//                  signed header names [\n SHA-256 of the body]
//   signature    = HMAC(HMAC("nano" + secret, scope), method \n date \n scope \n request hash)
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

enum class SignedBody : std::uint8_t {
  Whole,  // its hash is signed; that of the empty text for GET, HEAD and OPTIONS
  Stream  // a file that is not at hand when the signature is checked: left out
};

// The credential that signed. Unauthenticated otherwise; the error does not say which part failed.
base::Result<const CoreKey*> check_signature(const std::vector<CoreKey>& keys,
                                             const Request& request, SignedBody body,
                                             base::Time now);

// As the original escapes: a blank is '+', all but letters, digits and "-_.~" as %XX.
std::string query_escape(std::string_view text);

}  // namespace slipway::api::nano
