#include "core/base/address_check.hpp"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

struct Row {
  const char* address;
  const char* reason;  // nullptr: may be called
};

class Addresses : public testing::TestWithParam<Row> {};

TEST_P(Addresses, G7_7_AreRefusedForTheirKind) {
  const auto address = parse_ip(GetParam().address);
  ASSERT_TRUE(address);
  const auto reason = refusal(*address, {});
  EXPECT_EQ(reason.value_or("none"), GetParam().reason ? GetParam().reason : "none");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Addresses,
    testing::Values(
        Row{"1.1.1.1", nullptr}, Row{"9.255.255.255", nullptr}, Row{"11.0.0.0", nullptr},
        Row{"172.15.255.255", nullptr}, Row{"172.32.0.0", nullptr}, Row{"100.63.0.1", nullptr},
        Row{"100.128.0.0", nullptr}, Row{"223.255.255.255", nullptr},
        Row{"2606:4700::1111", nullptr}, Row{"64:ff9b::101:101", nullptr},
        Row{"2002:101:101::1", nullptr}, Row{"0.0.0.0", "unspecified"},
        Row{"127.0.0.1", "loopback"}, Row{"127.255.255.255", "loopback"},
        Row{"10.1.2.3", "private network"}, Row{"172.16.0.1", "private network"},
        Row{"172.31.255.255", "private network"}, Row{"192.168.1.1", "private network"},
        Row{"100.64.0.1", "private network"}, Row{"169.254.1.1", "link-local"},
        Row{"169.254.169.254", "cloud metadata"}, Row{"168.63.129.16", "cloud metadata"},
        Row{"100.100.100.200", "cloud metadata"}, Row{"224.0.0.1", "multicast"},
        Row{"255.255.255.255", "reserved"}, Row{"198.18.0.1", "reserved"},
        Row{"192.0.2.1", "documentation"}, Row{"::", "unspecified"}, Row{"::1", "loopback"},
        Row{"fe80::1", "link-local"}, Row{"fd12::1", "private network"},
        Row{"fec0::1", "private network"}, Row{"fd00:ec2::254", "cloud metadata"},
        Row{"ff02::1", "multicast"}, Row{"2001:db8::1", "documentation"},
        Row{"2001::7f00:1", "reserved"}, Row{"::ffff:127.0.0.1", "loopback"},
        Row{"::ffff:10.0.0.1", "private network"}, Row{"::127.0.0.1", "loopback"},
        Row{"::ffff:169.254.169.254", "cloud metadata"}, Row{"64:ff9b::7f00:1", "loopback"},
        Row{"64:ff9b::a9fe:a9fe", "cloud metadata"}, Row{"64:ff9b:1::7f00:1", "reserved"},
        Row{"2002:7f00:1::", "loopback"}, Row{"2002:a00:1::", "private network"}));

TEST(AddressPolicy, OpensExactlyTheNetworksItNames) {
  const AddressPolicy policy{{*parse_network("10.1.0.0/16"), *parse_network("fd00::/64")}};
  EXPECT_FALSE(refusal(*parse_ip("10.1.255.255"), policy));
  EXPECT_FALSE(refusal(*parse_ip("64:ff9b::a01:203"), policy));
  EXPECT_FALSE(refusal(*parse_ip("fd00::5"), policy));
  EXPECT_TRUE(refusal(*parse_ip("10.2.0.0"), policy));
  EXPECT_TRUE(refusal(*parse_ip("fd00:0:0:1::5"), policy));
}

TEST(ParseIp, TakesNoOtherSpellings) {
  for (const char* bad : {"", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3.4 ",
                          "[::1]", "fe80::1%eth0", "1.2.3.4/8", "::g"})
    EXPECT_FALSE(parse_ip(bad)) << bad;
}

TEST(ParseNetwork, RefusesImpossiblePrefixes) {
  for (const char* bad : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8"})
    EXPECT_FALSE(parse_network(bad)) << bad;
  EXPECT_TRUE(parse_network("0.0.0.0/0")->contains(*parse_ip("8.8.8.8")));
  EXPECT_FALSE(parse_network("0.0.0.0/0")->contains(*parse_ip("::1")));
  EXPECT_TRUE(parse_network("10.0.0.0/9")->contains(*parse_ip("10.127.0.1")));
  EXPECT_FALSE(parse_network("10.0.0.0/9")->contains(*parse_ip("10.128.0.1")));
}

TEST(ResolveChecked, G7_7_OneBadAddressRefusesTheName) {
  const auto resolver = [](const std::string&) {
    return std::vector{*parse_ip("1.1.1.1"), *parse_ip("10.0.0.7")};
  };
  const auto result = resolve_checked("hooks.example", {}, resolver);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::UnprocessableArgument);
  EXPECT_EQ(result.error().message,
            "host 'hooks.example' may not be called: private network address");
}

TEST(ResolveChecked, G7_7_ResolvesOnceAndGivesWhatItChecked) {
  int calls = 0;
  const auto resolver = [&](const std::string&) {
    return std::vector{*parse_ip(++calls == 1 ? "1.1.1.1" : "127.0.0.1")};
  };
  const auto result = resolve_checked("rebinding.example", {}, resolver);
  ASSERT_TRUE(result);
  EXPECT_EQ(to_string(result->front()), "1.1.1.1");
  EXPECT_EQ(calls, 1);
}

TEST(ResolveChecked, ANameWithoutAddressIsUnavailable) {
  const auto result = resolve_checked("nowhere.example", {},
                                      [](const std::string&) { return std::vector<IpAddress>{}; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::BackendUnavailable);
}

}  // namespace
}  // namespace slipway::base
