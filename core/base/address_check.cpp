#include "core/base/address_check.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace slipway::base {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Range {
  const char* network;
  std::string_view reason;
};

// Metadata first: it says more than "link-local".
constexpr Range kRefused[] = {
    {"169.254.169.254", "cloud metadata"},  // EC2, GCE, OpenStack, most others
    {"169.254.170.2", "cloud metadata"},    // ECS
    {"100.100.100.200", "cloud metadata"},  // Alibaba
    {"168.63.129.16", "cloud metadata"},    // Azure
    {"192.0.0.192", "cloud metadata"},      // Oracle
    {"fd00:ec2::254", "cloud metadata"},    // EC2
    {"fd20:ce::254", "cloud metadata"},     // GCE
    {"0.0.0.0/8", "unspecified"},           // RFC 1122: "this network"
    {"127.0.0.0/8", "loopback"},            // RFC 1122
    {"10.0.0.0/8", "private network"},      // RFC 1918
    {"172.16.0.0/12", "private network"},   // RFC 1918
    {"192.168.0.0/16", "private network"},  // RFC 1918
    {"100.64.0.0/10", "private network"},   // RFC 6598: carrier NAT
    {"169.254.0.0/16", "link-local"},       // RFC 3927
    {"224.0.0.0/4", "multicast"},           // RFC 5771
    {"192.0.0.0/24", "reserved"},           // RFC 6890
    {"192.0.2.0/24", "documentation"},      // RFC 5737
    {"198.51.100.0/24", "documentation"},   // RFC 5737
    {"203.0.113.0/24", "documentation"},    // RFC 5737
    {"192.88.99.0/24", "reserved"},         // RFC 7526: 6to4 relays
    {"198.18.0.0/15", "reserved"},          // RFC 2544: benchmarks
    {"240.0.0.0/4", "reserved"},            // RFC 1112, and broadcast
    {"::/128", "unspecified"},              // RFC 4291
    {"::1/128", "loopback"},                // RFC 4291
    {"fe80::/10", "link-local"},            // RFC 4291
    {"fec0::/10", "private network"},       // RFC 3879: site-local
    {"fc00::/7", "private network"},        // RFC 4193
    {"ff00::/8", "multicast"},              // RFC 4291
    {"64:ff9b:1::/48", "reserved"},         // RFC 8215: a site's own NAT64
    {"100::/64", "reserved"},               // RFC 6666: discard
    {"2001::/32", "reserved"},              // RFC 4380: Teredo, carries an IPv4 address
    {"2001:db8::/32", "documentation"},     // RFC 3849
    {"3fff::/20", "documentation"},         // RFC 9637
    {"5f00::/16", "reserved"},              // RFC 9602: segment routing
};

struct ParsedRange {
  IpNetwork network;
  std::string_view reason;
};

const std::vector<ParsedRange>& refused_ranges() {
  static const auto ranges = [] {
    std::vector<ParsedRange> out;
    for (const auto& range : kRefused)
      out.push_back({parse_network(range.network).value(), range.reason});
    return out;
  }();
  return ranges;
}

IpAddress mapped(const std::uint8_t* four) {
  IpAddress out;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
  std::copy(four, four + 4, out.bytes.begin() + 12);
  return out;
}

// The IPv4 address that an IPv6 one stands for, if it is of such a kind.
std::optional<IpAddress> embedded_v4(const IpAddress& address) {
  static const auto kNat64 = parse_network("64:ff9b::/96").value();
  static const auto kCompatible = parse_network("::/96").value();
  static const auto k6to4 = parse_network("2002::/16").value();
  if (k6to4.contains(address)) return mapped(&address.bytes[2]);
  if (kNat64.contains(address) || kCompatible.contains(address)) return mapped(&address.bytes[12]);
  return std::nullopt;
}

std::optional<std::string_view> range_of(const IpAddress& address) {
  for (const auto& range : refused_ranges())
    if (range.network.contains(address)) return range.reason;
  return std::nullopt;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  std::uint8_t four[4];
  if (inet_pton(AF_INET, terminated.c_str(), four) == 1) return mapped(four);
  IpAddress out;
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.is_v4()) {
    inet_ntop(AF_INET, &address.bytes[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  }
  return text;
}

bool IpNetwork::contains(const IpAddress& other) const {
  const auto whole = prefix / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin()))
    return false;
  if (prefix % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - prefix % 8));
  return (address.bytes[whole] & mask) == (other.bytes[whole] & mask);
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpNetwork{*address, 128};
  // "::ffff:10.0.0.0/104" counts 128 bits although its address is held as an IPv4 one.
  const bool dotted_only = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned bits = dotted_only ? 32 : 128;
  unsigned prefix = 0;
  const auto digits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix > bits)
    return std::nullopt;
  return IpNetwork{*address, prefix + (128 - bits)};
}

std::optional<std::string_view> refusal(const IpAddress& address, const AddressPolicy& policy) {
  const auto inner = embedded_v4(address);
  for (const auto& network : policy.allow)
    if (network.contains(address) || (inner && network.contains(*inner))) return std::nullopt;
  if (const auto reason = range_of(address)) return reason;
  return inner ? range_of(*inner) : std::nullopt;
}

std::vector<IpAddress> system_resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<IpAddress> out;
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET) {
      sockaddr_in v4;
      std::memcpy(&v4, at->ai_addr, sizeof v4);
      std::uint8_t four[4];
      std::memcpy(four, &v4.sin_addr, 4);
      out.push_back(mapped(four));
    } else if (at->ai_family == AF_INET6) {
      sockaddr_in6 v6;
      std::memcpy(&v6, at->ai_addr, sizeof v6);
      IpAddress address;
      std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
      out.push_back(address);
    }
  }
  return out;
}

Result<std::vector<IpAddress>> resolve_checked(const std::string& host, const AddressPolicy& policy,
                                               const Resolver& resolve) {
  const auto literal = parse_ip(host);
  auto addresses = literal ? std::vector<IpAddress>{*literal} : resolve(host);
  if (addresses.empty())
    return fail(Errc::BackendUnavailable, "host '" + host + "' has no address");
  for (const auto& address : addresses) {
    if (const auto reason = refusal(address, policy)) {
      return fail(Errc::UnprocessableArgument,
                  "host '" + host + "' may not be called: " + std::string(*reason) + " address");
    }
  }
  return addresses;
}

}  // namespace slipway::base
