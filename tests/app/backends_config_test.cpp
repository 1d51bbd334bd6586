#include "app/backends_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/config_show.hpp"
#include "tests/app/temp_files.hpp"

namespace slipway::app {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kLab = R"(
[[backends]]
name = "lab"
type = "openstack"
worker_pool = "cloud"
policy = "adopt"
tenant = "found"
max_calls = 20
max_calls_per_host = 4
rate_per_second = 2.5
rate_burst = 5
call_timeout = "20s"
auth_url = "https://keystone:5000/v3"
user = "slipway"
password_file = "lab.password"
project = "vms"
ca_file = "/etc/ssl/lab.pem"

[[backends]]
name = "rack"
type = "libvirt"
clone = "full"
seed = false

[[backends.cells]]
name = "cell1"
uri = "qemu:///system"
shared = true

[[backends.cells]]
name = "cell2"
uri = "qemu+tcp://[::1]/system"
max_calls = 2
)";

class BackendsConfig : public ::testing::Test {
 protected:
  LoadedConfig load(std::string_view toml) {
    path_ = files_.write("slipway.toml", toml);
    return load_config({.file = path_});
  }
  // The errors, each with the path of the file left out.
  std::vector<std::string> errors_of(std::string_view toml) {
    std::vector<std::string> texts;
    for (const auto& error : load(toml).errors) {
      auto text = error.text();
      if (text.starts_with(path_)) text.erase(0, path_.size());
      texts.push_back(std::move(text));
    }
    return texts;
  }
  TempFiles files_;
  std::string path_;
};

TEST_F(BackendsConfig, ReadsEachTableAndItsCells) {
  const auto loaded = load(kLab);
  for (const auto& error : loaded.errors) ADD_FAILURE() << error.text();
  ASSERT_EQ(loaded.config.backends.size(), 2U);
  const BackendTable& lab = loaded.config.backends[0];
  EXPECT_EQ(lab.worker_pool, "cloud");
  EXPECT_EQ(lab.policy, "adopt");
  EXPECT_EQ(lab.tenant, "found");
  EXPECT_EQ(lab.max_calls, 20U);
  EXPECT_EQ(lab.max_calls_per_host, 4U);
  EXPECT_EQ(lab.rate_per_second, 2.5);
  EXPECT_EQ(lab.rate_burst, 5U);
  EXPECT_EQ(lab.call_timeout, seconds(20));
  EXPECT_EQ(lab.openstack.auth_url, "https://keystone:5000/v3");
  EXPECT_EQ(lab.openstack.password_file.path, "lab.password");
  EXPECT_EQ(lab.openstack.project_domain, "Default");

  const BackendTable& rack = loaded.config.backends[1];
  EXPECT_EQ(rack.policy, "report");
  EXPECT_EQ(rack.libvirt.clone, "full");
  EXPECT_FALSE(rack.libvirt.seed);
  ASSERT_EQ(rack.libvirt.cells.size(), 2U);
  EXPECT_TRUE(rack.libvirt.cells[0].shared);
  EXPECT_EQ(rack.libvirt.cells[1].uri, "qemu+tcp://[::1]/system");
  EXPECT_EQ(rack.libvirt.cells[1].max_calls, 2U);
}

TEST_F(BackendsConfig, ShowsTheKeysOfTheTypeAndTheirPlaces) {
  const auto text = show_config(load(kLab));
  EXPECT_THAT(text, HasSubstr("backends[0].name = \"lab\"  # " + path_ + ":3:1\n"));
  EXPECT_THAT(text, HasSubstr("backends[0].region = \"\"  # default\n"));
  EXPECT_THAT(text, HasSubstr("backends[1].cells[1].max_calls = 2  # " + path_ + ":33:1\n"));
  EXPECT_EQ(text.find("backends[1].auth_url"), std::string::npos);
}

TEST_F(BackendsConfig, RefusesWhatIsNoKeyOfTheType) {
  EXPECT_THAT(
      errors_of("[[backends]]\nname = \"a\"\ntype = \"libvirt\"\nauth_url = \"x\"\nrate_brust = 1\n"
                "nonsense = 1\n[[backends.cells]]\nname = \"c\"\nurl = \"x\"\n[[backends.nodes]]\n"
                "a = 1\n"),
      ElementsAre(":4:1: backends[0]: auth_url is a key of openstack backends",
                  ":5:1: backends[0]: unknown key rate_brust: did you mean rate_burst?",
                  ":6:1: backends[0]: unknown key nonsense",
                  ":9:1: backends[0].cells[0]: unknown key url: did you mean uri?",
                  HasSubstr("backends[0]: unknown table [[backends.nodes]]")));
  EXPECT_THAT(errors_of("[[backend]]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("unknown table [[backend]]")));
  EXPECT_THAT(errors_of("[backends]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("backends is a list: each is a table of its own")));
}

TEST_F(BackendsConfig, RefusesValuesOutOfBounds) {
  EXPECT_THAT(errors_of("[[backends]]\nname = \"a\"\ntype = \"xen\"\npolicy = \"keep\"\n"
                        "rate_per_second = -1.0\nmax_calls = \"many\"\n"),
              ElementsAre(":3:1: backends[0]: type: \"xen\" is not one of "
                          "simulated|openstack|libvirt",
                          ":4:1: backends[0]: policy: \"keep\" is not one of report|adopt|repair",
                          ":5:1: backends[0]: rate_per_second: -1 is below the least, 0",
                          ":6:1: backends[0]: max_calls: expected a whole number, found another "
                          "type"));
}

TEST_F(BackendsConfig, SaysWhatIsMissing) {
  EXPECT_THAT(errors_of("[[backends]]\n"),
              ElementsAre(HasSubstr(":1:1: backends[0].name: is required"),
                          HasSubstr(":1:1: backends[0].type: is required")));
  EXPECT_THAT(errors_of("[[backends]]\nname = \"a\"\ntype = \"openstack\"\n"),
              ElementsAre(HasSubstr("backends[0].auth_url: is required"),
                          HasSubstr("backends[0].user: is required, or application_credential_id"),
                          HasSubstr("backends[0].password_file: is required with user"),
                          HasSubstr("backends[0].project: is required with user")));
  EXPECT_THAT(errors_of("[[backends]]\nname = \"a\"\ntype = \"libvirt\"\n"),
              ElementsAre(HasSubstr("backends[0].cells: is required")));
  EXPECT_THAT(
      errors_of("[[backends]]\nname = \"a\"\ntype = \"libvirt\"\n[[backends.cells]]\n"
                "name = \"c\"\n[[backends.cells]]\nname = \"c\"\nuri = \"test:///default\"\n"),
      ElementsAre(HasSubstr("backends[0].cells[0].uri: is required"),
                  HasSubstr(":7:1: backends[0].cells[1].name: is another cell's too")));
}

TEST_F(BackendsConfig, RefusesTwoIdentitiesAndTwoOfOneName) {
  const std::string cloud =
      "[[backends]]\nname = \"a\"\ntype = \"openstack\"\nauth_url = \"http://k\"\n"
      "application_credential_id = \"i\"\napplication_credential_secret_file = \"s\"\n";
  EXPECT_THAT(errors_of(cloud), ElementsAre());
  EXPECT_THAT(
      errors_of(cloud + "user = \"u\"\n"),
      ElementsAre(HasSubstr(":5:1: backends[0].application_credential_id: stands instead")));
  EXPECT_THAT(errors_of(cloud + cloud),
              ElementsAre(HasSubstr("backends[1].name: is another backend's too")));
  EXPECT_THAT(errors_of("[[backends]]\nname = \"simulated\"\ntype = \"simulated\"\n"),
              ElementsAre(HasSubstr("backends[0].name: is another backend's too")));
}

TEST_F(BackendsConfig, ACallMustFitIntoALease) {
  EXPECT_THAT(
      errors_of("[[backends]]\nname = \"a\"\ntype = \"simulated\"\ncall_timeout = \"30s\"\n"),
      ElementsAre(HasSubstr("backends[0].call_timeout: with worker.margin must be below")));
}

TEST_F(BackendsConfig, AMissingPasswordFileIsFoundByTheCheck) {
  const auto loaded = load(kLab);
  std::string all;
  for (const auto& error : probe_config(loaded)) all += error.text() + '\n';
  EXPECT_THAT(all, HasSubstr(":15:1: backends[0].password_file: open lab.password: No such file"));
  EXPECT_THAT(all, HasSubstr("backends[0].ca_file: /etc/ssl/lab.pem cannot be read"));
}

TEST_F(BackendsConfig, AChangeNeedsARestart) {
  const auto before = load(kLab);
  auto after = before.config;
  after.backends[0].max_calls = 21;
  after.backends[1].libvirt.cells.pop_back();
  const auto changes = diff_config(before.config, after);
  ASSERT_EQ(changes.size(), 8U);
  EXPECT_EQ(changes[0].key, "backends[0].max_calls");
  EXPECT_EQ(changes[0].to, "21");
  EXPECT_TRUE(changes[0].needs_restart);
  EXPECT_EQ(changes[1].key, "backends[1].cells[1].address");
  EXPECT_EQ(changes[1].to, "");
}

// Each member of the structs, as config.hpp declares them, is a key.
TEST_F(BackendsConfig, EveryMemberHasItsRow) {
  std::ifstream header(SLIPWAY_SOURCE_DIR "/app/config.hpp");
  std::map<std::string, std::set<std::string>> members;
  std::string current;
  for (std::string line; std::getline(header, line);) {
    std::istringstream words(line);
    std::string type;
    std::string name;
    words >> type >> name;
    if (type == "struct") current = name.ends_with("Table") ? name : "";
    if (type == "struct" || current.empty() || !line.starts_with("  ")) continue;
    if (type.find("Table") != std::string::npos || type == "//") continue;
    members[current].insert(name.substr(0, name.find_first_of("{;")));
  }
  ASSERT_EQ(members.size(), 5U);
  const auto keys_of = [](std::string_view type) {
    Config config;
    config.backends.emplace_back().type = type;
    std::set<std::string> keys;
    for (const auto& s : backend_settings(config)) keys.insert(s.key.substr(s.key.rfind('.') + 1));
    return keys;
  };
  for (const auto& [type, table] : {std::pair{"openstack", "OpenStackTable"},
                                    {"libvirt", "LibvirtTable"},
                                    {"simulated", "SimulatedTable"}}) {
    auto expected = members["BackendTable"];
    expected.insert(members[table].begin(), members[table].end());
    EXPECT_EQ(keys_of(type), expected) << type;
  }
}

}  // namespace
}  // namespace slipway::app
