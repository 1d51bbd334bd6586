#include "core/base/stream_hash.hpp"

#include <sodium.h>

#include <array>

#include "core/base/crypto.hpp"

namespace slipway::base {

struct StreamHash::State {
  crypto_hash_sha512_state sha512;
};

StreamHash::StreamHash() : state_(std::make_unique<State>()) {
  crypto_hash_sha512_init(&state_->sha512);
}
StreamHash::~StreamHash() = default;
StreamHash::StreamHash(StreamHash&&) noexcept = default;
StreamHash& StreamHash::operator=(StreamHash&&) noexcept = default;

void StreamHash::add(std::string_view piece) {
  crypto_hash_sha512_update(&state_->sha512, reinterpret_cast<const unsigned char*>(piece.data()),
                            piece.size());
}

std::string StreamHash::hex() {
  std::array<std::uint8_t, crypto_hash_sha512_BYTES> digest;
  crypto_hash_sha512_final(&state_->sha512, digest.data());
  return base::hex(digest);
}

}  // namespace slipway::base
