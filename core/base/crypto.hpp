#pragma once
// The cryptography the service uses, all of it libsodium's. Any thread. `crypto_init()` once,
// first.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace slipway::base {

using Digest = std::array<std::uint8_t, 32>;

// Ends the process if the library cannot start (no randomness).
void crypto_init();

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
// Keyed BLAKE2b-256: for the log's chain (key empty) and for fingerprints under a per-process key.
Digest blake2b(std::string_view bytes, std::string_view key = {});
// BLAKE2b-256 over `first` then `second`, without joining them.
Digest blake2b2(std::string_view first, std::string_view second);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

std::string hex(std::span<const std::uint8_t> bytes);
std::string base64url(std::span<const std::uint8_t> bytes);  // no padding
bool constant_time_equal(std::string_view a, std::string_view b);
void random_bytes(std::span<std::uint8_t> out);
// `length` characters of [A-Za-z0-9], for passwords that a dialect shows once.
std::string random_password(std::size_t length);

// argon2id, m = 19 MiB, t = 2, p = 1 (guarantees: 6.7): ~20 ms of a core, so never on an I/O
// thread.
std::string hash_password(std::string_view password);
bool verify_password(std::string_view hash, std::string_view password);

// XChaCha20-Poly1305 with a random nonce in front of the ciphertext.
inline constexpr std::size_t kKeyBytes = 32;
using Key = std::array<std::uint8_t, kKeyBytes>;
Key random_key();
std::string seal(const Key& key, std::string_view plain, std::string_view aad);
// Internal if the key, the bytes or the associated data are not those of the sealing.
Result<std::string> open_sealed(const Key& key, std::string_view sealed, std::string_view aad);

void wipe(std::string& secret);

}  // namespace slipway::base
