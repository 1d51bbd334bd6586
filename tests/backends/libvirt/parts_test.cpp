// The pure parts: names, tags, documents, the seed, options.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <map>

#include "workers/backends/libvirt/libvirt_backend.hpp"
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/seed.hpp"
#include "workers/backends/libvirt/tag.hpp"
#include "workers/backends/libvirt/xml.hpp"

namespace slipway::workers::libvirt {
namespace {

using testing::HasSubstr;

const std::string kTask = "01970000-0000-7000-8000-00000000000a";
const std::string kKey = "slipway-" + kTask + "-vm.create";

TEST(Names, AKeyAlwaysGivesTheSameUuidAndAnotherKeyAnother) {
  EXPECT_EQ(domain_uuid(kKey), domain_uuid(kKey));
  EXPECT_NE(domain_uuid(kKey), domain_uuid(kKey + "2"));
  EXPECT_EQ(base::to_string(domain_uuid(kKey))[14], '8');  // its version
}

TEST(Names, AVolumesNameTellsItsTagAndItsPart) {
  const domain::Tag tag{"inst-1", kKey};
  const auto parsed = parse_volume_name(volume_name(tag, "disk0.qcow2"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->tag, tag);
  EXPECT_EQ(parsed->part, "disk0.qcow2");
}

TEST(Names, OtherVolumesAreNotTakenForOurs) {
  for (const char* name : {"base.qcow2", "slipway-", "slipway-x-vm.create.i.disk0.qcow2",
                           "slipway-01970000-0000-7000-8000-00000000000a-vm.stop.i.disk0.qcow2",
                           "slipway-01970000-0000-7000-8000-00000000000a-vm.create"}) {
    EXPECT_FALSE(parse_volume_name(name)) << name;
  }
}

TEST(Names, ADomainsNameIsPlainAndTellsNamesakesApart) {
  const std::string one = domain_name("web/../ä <1>", domain_uuid("a"));
  EXPECT_THAT(one, testing::MatchesRegex("web\\.\\.1-[0-9a-f]+"));
  EXPECT_NE(one, domain_name("web/../ä <1>", domain_uuid("b")));
}

TEST(Tag, ComesBackAsItWasWritten) {
  DomainTag tag{
      .tag = {"inst", kKey}, .owner = "a \"b\" <c> & 'd'", .fence = 18446744073709551615U};
  tag.done = "slipway-x";
  tag.created_at = 1790000000000000;
  tag.old_vcpus = 2;
  tag.old_memory_mb = 512;
  tag.image = "base.qcow2";
  EXPECT_EQ(tag_from_xml(to_xml(tag)), tag);
  EXPECT_EQ(tag_from_xml("no xml"), DomainTag{});
}

Options options() {
  Options o;
  o.cells = {{.name = "a", .uri = "test:///default"}};
  return o;
}

DomainXml domain_with_everything() {
  DomainXml d;
  d.name = "web-1";
  d.uuid = "01970000-0000-8000-8000-00000000000a";
  d.title = "</title><x>&";
  d.metadata = to_xml({.tag = {"inst", kKey}});
  d.vcpus = 2;
  d.memory_mb = 512;
  d.ipv4 = "10.0.0.5";
  d.mac = "fa:16:3e:00:00:05";
  d.network = "lan\" onload='x";
  d.disks = {{"/pool/a'b.qcow2", "qcow2", "vda"}, {"/pool/second.qcow2", "qcow2", "vdb"}};
  d.seed = "/pool/seed.iso";
  return d;
}

TEST(DomainXmlText, G7_8_IsReadBackAsItWasWrittenWhateverTheNamesHold) {
  const DomainXml d = domain_with_everything();
  const SeenDomain seen = read_domain(domain_xml(options(), d));
  EXPECT_EQ(seen.name, d.name);
  EXPECT_EQ(seen.title, d.title);
  EXPECT_EQ(seen.vcpus, 2U);
  EXPECT_EQ(seen.memory_mb, 512U);
  EXPECT_EQ(seen.network, d.network);
  EXPECT_EQ(seen.mac, d.mac);
  EXPECT_EQ(tag_from_xml(seen.tag).tag.key, kKey);
  ASSERT_EQ(seen.disks.size(), 4U);
  EXPECT_EQ(seen.disks[0].path, "/pool/a'b.qcow2");
  EXPECT_EQ(seen.disks[2].device, "cdrom");
  EXPECT_EQ(seen.disks[3].path, "/pool/seed.iso");
}

TEST(DomainXmlText, AKernelsCommandLineHasTheAddressPutIn) {
  Options o = options();
  o.direct_boot = KernelOptions{"/k", "/i", "ip={ipv4}/{prefix} mac={mac} again={ipv4}"};
  EXPECT_THAT(domain_xml(o, domain_with_everything()),
              HasSubstr("<cmdline>ip=10.0.0.5/24 mac=fa:16:3e:00:00:05 again=10.0.0.5</cmdline>"));
}

TEST(DomainXmlText, HasRoomToGrow) {
  Options o = options();
  o.hot_vcpus = 4;
  o.hot_memory = 2;
  const std::string xml = domain_xml(o, domain_with_everything());
  EXPECT_THAT(xml, HasSubstr("<vcpu current=\"2\">8</vcpu>"));
  EXPECT_THAT(xml, HasSubstr("<memory unit=\"MiB\">1024</memory>"));
  EXPECT_THAT(xml, HasSubstr("<currentMemory unit=\"MiB\">512</currentMemory>"));
}

TEST(DomainXmlText, BootsOnceFromElsewhere) {
  const std::string xml = domain_xml(options(), domain_with_everything());
  EXPECT_EQ(boots_from(xml), "hd");
  const std::string other = with_boot(xml, "cdrom");
  EXPECT_EQ(boots_from(other), "cdrom");
  EXPECT_EQ(boots_from(with_boot(other, "hd")), "hd");
}

TEST(NetworkXml, ItsRangeAndItsReservationsAreRead) {
  const std::string xml =
      "<network><mtu size='1400'/><ip address='10.1.0.1' netmask='255.255.255.0'><dhcp>"
      "<range start='10.1.0.10' end='10.1.0.99'/><host mac='fa:16:3e:00:00:05' ip='10.1.0.11'/>"
      "</dhcp></ip></network>";
  const SeenDhcp seen = read_network(xml);
  EXPECT_TRUE(seen.enabled);
  EXPECT_EQ(seen.first, "10.1.0.10");
  EXPECT_EQ(seen.last, "10.1.0.99");
  EXPECT_EQ(seen.mtu, 1400U);
  EXPECT_TRUE(has_dhcp_host(xml, "fa:16:3e:00:00:05"));
  EXPECT_FALSE(has_dhcp_host(xml, "fa:16:3e:00:00:06"));
  EXPECT_FALSE(read_network("<network><bridge name='br0'/></network>").enabled);
}

TEST(Seed, HoldsItsFilesUnderTheLabelThatCloudInitLooksFor) {
  const std::map<std::string, std::string> files = {{"meta-data", "instance-id: x\n"},
                                                    {"user-data", std::string(5000, 'u')}};
  const std::string iso = iso_image("cidata", {files.begin(), files.end()});
  EXPECT_THAT(iso.substr(0x8028, 6), testing::StrCaseEq("cidata"));
  archive* in = archive_read_new();
  archive_read_support_format_iso9660(in);
  ASSERT_EQ(archive_read_open_memory(in, iso.data(), iso.size()), ARCHIVE_OK);
  std::map<std::string, std::string> read;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    std::string bytes(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    archive_read_data(in, bytes.data(), bytes.size());
    read[archive_entry_pathname(entry)] = bytes;
  }
  archive_read_free(in);
  EXPECT_EQ(read, files);
}

TEST(Seed, G7_8_ATextCannotBreakOutOfItsYaml) {
  EXPECT_EQ(yaml_text("a\"\n- b: #"), R"("a\"\n- b: #")");
}

TEST(LibvirtOptions, WhatCannotWorkIsRefused) {
  Options none;
  EXPECT_FALSE(LibvirtBackend::open(none));
  Options twice = options();
  twice.cells.push_back(twice.cells[0]);
  EXPECT_FALSE(LibvirtBackend::open(twice));
  Options idle = options();
  idle.cells[0].max_calls = 0;
  EXPECT_FALSE(LibvirtBackend::open(idle));
  EXPECT_TRUE(LibvirtBackend::open(options()));
}

}  // namespace
}  // namespace slipway::workers::libvirt
