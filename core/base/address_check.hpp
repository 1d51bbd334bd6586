#pragma once
// Which addresses this service will call on a user's word (webhooks, image URLs). A name is
// resolved once, every address it has is checked, and the caller connects to an address from the
// answer and resolves no more: a name that changes its mind between check and call gains nothing.
//
// Refused unless a network in `AddressPolicy::allow` holds it: this machine, private, carrier and
// link-local ranges, multicast, unspecified, reserved and documentation ranges, cloud metadata
// services, and every IPv6 form that carries such an IPv4 address (mapped, compatible, NAT64, 6to4,
// Teredo).
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace slipway::base {

// IPv4 is held as its mapped form, ::ffff:a.b.c.d, so that one comparison serves both.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4() const;
  bool operator==(const IpAddress&) const = default;
};

// Strict dotted quad or RFC 4291 text, no brackets and no zone; nullopt for anything else.
std::optional<IpAddress> parse_ip(std::string_view text);
// "192.0.2.1", "2001:db8::1"; a mapped address prints as IPv4.
std::string to_string(const IpAddress& address);

struct IpNetwork {
  IpAddress address;
  unsigned prefix = 128;  // of 128 bits, for IPv4 too
  bool contains(const IpAddress& other) const;
};
// "10.0.0.0/8", "fd00::/8", or a bare address; nullopt for anything else.
std::optional<IpNetwork> parse_network(std::string_view text);

struct AddressPolicy {
  std::vector<IpNetwork> allow;  // opens what would be refused; empty opens nothing
};

// Why that address may not be called ("loopback", "private network", "cloud metadata", ...), or
// nullopt if it may. Pure.
std::optional<std::string_view> refusal(const IpAddress& address, const AddressPolicy& policy);

// Blocks; empty if the name has no address.
using Resolver = std::function<std::vector<IpAddress>(const std::string& host)>;
std::vector<IpAddress> system_resolve(const std::string& host);

// All addresses of the host, at least one. One bad address among good ones refuses them all: the
// name is not to be trusted. Errors: UnprocessableArgument (refused), BackendUnavailable (no
// address). The message names the host and the reason, not the address: that would tell strangers
// how our network looks.
Result<std::vector<IpAddress>> resolve_checked(const std::string& host, const AddressPolicy& policy,
                                               const Resolver& resolve = system_resolve);

}  // namespace slipway::base
