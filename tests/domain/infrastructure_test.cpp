// Pools of hosts and of addresses: what is refused, and that no address is given twice.
#include "tests/domain/story.hpp"

namespace slipway::domain::testing {
namespace {

Command doing(CommandBody body) {
  Command c;
  c.caller = caller();
  c.task = task(5000);
  c.body = std::move(body);
  return c;
}

std::uint32_t ip(const char* text) { return parse_ipv4(text).value(); }
AddressBlock block(const char* start, const char* end, RangeKind kind = RangeKind::Internal) {
  return {kind, ip(start), ip(end), ip("255.255.255.0")};
}

// The hosts' pool takes addresses from "lan": .1 to .2 and .10 to .11.
Story with_addresses() {
  Story s;
  s.given(doing(CreatePool{{"default"}, {}}));
  s.given(doing(CreateAddressPool{{"lan", ip("192.168.0.254"), {ip("8.8.8.8")}}}));
  s.given(doing(AddAddressRange{"lan", block("192.168.0.10", "192.168.0.11")}));
  s.given(doing(AddAddressRange{"lan", block("192.168.0.1", "192.168.0.2")}));
  s.given(doing(UpdatePool{"default", {}, {}, {}, "lan", {}}));
  return s;
}

std::string address(const Story& s, std::uint64_t n) {
  return ipv4_text(s.world.vm(vm(n))->spec.ipv4);
}

TEST(AddressPool, GivesEachAddressOnceAndAgainWhenItsVmIsGone) {
  Story s = with_addresses();
  for (std::uint64_t n = 1; n <= 4; ++n) s.given(create(n));
  EXPECT_EQ(address(s, 1), "192.168.0.1");
  EXPECT_EQ(address(s, 2), "192.168.0.2");
  EXPECT_EQ(address(s, 3), "192.168.0.10");
  EXPECT_EQ(address(s, 4), "192.168.0.11");
  s.when(create(5)).refused(Errc::CapacityExhausted);
  s.given(cancel(2));
  s.given(create(6));
  EXPECT_EQ(address(s, 6), "192.168.0.2");
}

TEST(AddressPool, ABatchTakesAddressesAsSingleCommandsWould) {
  Story s = with_addresses();
  std::vector<BatchItem> items;
  for (std::uint64_t n = 1; n <= 5; ++n) items.push_back({task(n), create_body(n)});
  s.when(batch(100, items, true)).accepted();
  EXPECT_EQ(s.world.vm_count(), 4U);
  EXPECT_EQ(s.world.infrastructure().address_pool("lan")->allocated(), 4U);
}

TEST(AddressPool, LeavesTheNetworksOwnRangeAlone) {
  Story s = with_addresses();
  s.given(create(1));
  s.given(doing(UpdatePool{"default", {}, {}, {}, "", {}}));
  s.given(create(2));
  EXPECT_EQ(address(s, 2), "10.0.0.10");
  s.given(cancel(1));  // gives its address back to the pool that it is of
  EXPECT_EQ(s.world.infrastructure().address_pool("lan")->allocated(), 0U);
}

TEST(AddressPool, IsTheSameInAWorldReadFromASnapshot) {
  Story s = with_addresses();
  for (std::uint64_t n = 1; n <= 3; ++n) s.given(create(n));
  s.given(cancel(1));
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
}

TEST(AddressPool, RefusesWhatWouldTakeAddressesAway) {
  Story s = with_addresses();
  s.given(create(1));
  s.when(doing(DeleteAddressPool{"lan"})).refused(Errc::IllegalTransition);
  s.when(doing(RemoveAddressRange{"lan", RangeKind::Internal, ip("192.168.0.1")}))
      .refused(Errc::IllegalTransition);
  s.when(doing(RemoveAddressRange{"lan", RangeKind::Internal, ip("192.168.0.10")})).accepted();
}

TEST(AddressRange, RefusesWhatIsNone) {
  struct Case {
    AddressBlock block;
    Errc code;
  };
  const std::uint32_t mask = ip("255.255.255.0");
  const Case cases[] = {
      {{RangeKind::Internal, ip("192.168.0.9"), ip("192.168.0.5"), mask},
       Errc::UnprocessableArgument},
      {{RangeKind::Internal, ip("192.168.0.20"), ip("192.168.1.5"), mask},
       Errc::UnprocessableArgument},
      {{RangeKind::Internal, ip("192.168.0.20"), ip("192.168.0.21"), ip("255.0.255.0")},
       Errc::UnprocessableArgument},
      {block("192.168.0.2", "192.168.0.3"), Errc::IllegalTransition},
      {block("192.168.0.5", "192.168.0.10"), Errc::IllegalTransition},
      {block("192.168.0.10", "192.168.0.10", RangeKind::External), Errc::IllegalTransition},
  };
  for (const Case& c : cases) {
    Story s = with_addresses();
    s.when(doing(AddAddressRange{"lan", c.block})).refused(c.code);
  }
  Story s;
  s.when(doing(AddAddressRange{"none", block("10.1.0.1", "10.1.0.2")})).refused(Errc::NotFound);
}

TEST(Pool, ADisabledOneTakesNoVms) {
  Story s;
  s.given(doing(CreatePool{{"default"}, {}}));
  s.given(doing(UpdatePool{"default", false, {}, {}, {}, {}}));
  s.when(create(1)).refused(Errc::CapacityExhausted);
  s.given(doing(UpdatePool{"default", true, {}, {}, {}, {}}));
  s.when(create(1)).accepted();
}

TEST(Pool, AHostInNoneTakesNoVmsAndOneWithVmsStays) {
  Story s;
  s.given(doing(CreatePool{{"default"}, {}}));
  s.given(create(1));
  const std::string used = s.world.vm(vm(1))->spec.host;
  const std::string other = used == "h1" ? "h2" : "h1";
  s.when(doing(DetachHost{"default", used})).refused(Errc::IllegalTransition);
  s.given(doing(DetachHost{"default", other}));
  s.given(create(2));
  EXPECT_EQ(s.world.vm(vm(2))->spec.host, used);
  s.when(doing(DetachHost{"default", other})).refused(Errc::NotFound);
  s.when(doing(CreatePool{{"fast"}, {other, used}})).refused(Errc::IllegalTransition);
  s.when(doing(CreatePool{{"fast"}, {other}})).accepted();
  EXPECT_EQ(s.world.hosts().at(other).host.pool, "fast");
  s.when(doing(DeletePool{"fast"})).refused(Errc::IllegalTransition);
  s.given(doing(DetachHost{"fast", other}));
  s.when(doing(DeletePool{"fast"})).accepted();
  s.when(doing(DeletePool{"default"})).refused(Errc::IllegalTransition);
}

TEST(Pool, ADisabledHostTakesNoVms) {
  Story s;
  s.given(doing(CreatePool{{"default"}, {}}));
  s.when(doing(SetHostEnabled{"default", "h1", false}))
      .then(followed(5000, {"host-h1 HostDisabled"}));
  s.when(doing(SetHostEnabled{"default", "h1", false})).then(followed(5000, {}));
  for (std::uint64_t n = 1; n <= 3; ++n) {
    s.given(create(n));
    EXPECT_EQ(s.world.vm(vm(n))->spec.host, "h2");
  }
}

TEST(StoragePool, IsKeptWhileAPoolUsesItAndUnchangedWhileItHasVolumes) {
  Story s;
  s.given(doing(CreateStoragePool{{"nfs1", "nfs", "nfs.nano.com", "/var/nano"}}));
  s.given(doing(CreatePool{{"default", true, NetworkMode::Share, "nfs1", "", true}, {}}));
  s.when(doing(DeleteStoragePool{"nfs1"})).refused(Errc::IllegalTransition);
  s.given(doing(UpdateStoragePool{"nfs1", {}, "other.nano.com", {}}));
  EXPECT_EQ(s.world.infrastructure().storage_pool("nfs1")->host, "other.nano.com");
  s.given(create(1));
  s.when(doing(UpdateStoragePool{"nfs1", {}, "third.nano.com", {}}))
      .refused(Errc::IllegalTransition);
  s.when(doing(CreatePool{{"p", true, NetworkMode::Plain, "none", "", false}, {}}))
      .refused(Errc::NotFound);
}

TEST(Security, RulesMoveAndEndWithTheirVm) {
  Story s;
  s.running_vm(1);
  const auto change = [](RuleChange::Kind kind, std::size_t index, const char* protocol = "tcp") {
    ChangeVmSecurity c;
    c.vm = vm(1);
    c.change = RuleChange{kind, index, {true, protocol, "", "", 22}};
    return doing(c);
  };
  using enum RuleChange::Kind;
  s.given(change(Add, 0, "tcp"));
  s.given(change(Add, 0, "udp"));
  s.given(change(MoveUp, 1));
  EXPECT_EQ(s.world.infrastructure().security_of(vm(1)).rules.at(0).protocol, "udp");
  s.when(change(MoveUp, 0)).refused(Errc::IllegalTransition);
  s.when(change(MoveDown, 1)).refused(Errc::IllegalTransition);
  s.when(change(Remove, 2)).refused(Errc::NotFound);
  s.given(change(Remove, 0));
  EXPECT_EQ(s.world.infrastructure().security_of(vm(1)).rules.size(), 1U);
  Command foreign = change(Remove, 0);
  foreign.caller = caller("other");
  s.when(foreign).refused(Errc::NotFound);
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
}

}  // namespace
}  // namespace slipway::domain::testing
