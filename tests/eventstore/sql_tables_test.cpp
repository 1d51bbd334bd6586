// The tables of the SQL dialect: their columns, what stands in them, and who sees which rows.
#include "eventstore/sql/catalog.hpp"
#include "sql_fixture.hpp"

namespace slipway::eventstore::sql::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(SqlTables, HaveTheColumnsOfTheDialect) {
  SqlCloud cloud;
  const std::map<std::string, std::string> wanted = {
      {"clouds", "id, type"},
      {"projects", "id, name, cloud_id, cloud_type, last_updated"},
      {"project_metadata", "project_id, key, value"},
      {"project_quota",
       "project_id, instances, vcpus, ram, disk, ips, security_groups, volumes, keypairs"},
      {"project_images", "project_id, image_id"},
      {"availability_zones", "name, project_id"},
      {"flavors",
       "id, project_id, name, ram, vcpus, root_disk, ephemeral_disk, has_swap, is_public, notes"},
      {"images", "id, real_id, name, cloud_id, cloud_type, created, last_updated, state, checksum"},
      {"image_metadata", "image_id, key, value"},
      {"instances",
       "id, real_id, name, cloud_id, cloud_type, project_id, flavor_id, image_id, state, "
       "last_updated, created, availability_zone, addresses, fqdn"},
      {"instance_metadata", "instance_id, key, value"},
      {"instance_networks", "instance_id, network_id"},
      {"keypairs", "name, project_id, fingerprint, public_key"},
      {"networks", "id, project_id, name, state, is_shared"},
      {"network_subnets",
       "id, project_id, network_id, name, cidr, protocol_version, gateway, is_dhcp_enabled"},
  };
  for (const auto& [table, columns] : wanted) {
    const auto result = cloud.one("select * from " + table);
    ASSERT_EQ(result.outcome, Outcome::Success) << table << result.message;
    EXPECT_EQ(fmt::format("{}", fmt::join(result.columns, ", ")), columns) << table;
  }
}

TEST(SqlTables, AllCanBeReadByBothKindsOfAsker) {
  SqlCloud cloud;
  for (const Table& table : catalog()) {
    for (const Scope& scope : {Scope::tenant("demo"), Scope::admin()}) {
      const auto result = cloud.one("select * from " + table.name, {}, scope);
      EXPECT_EQ(result.outcome, Outcome::Success)
          << table.name << ": " << result.message << cloud.engine().last_refusal();
      EXPECT_EQ(result.columns.size(), table.columns.size());
    }
  }
}

TEST(SqlTables, ListThemselves) {
  SqlCloud cloud;
  EXPECT_THAT(cloud.rows("select name from tables() order by name"),
              AllOf(Contains(ElementsAre("instances")), Contains(ElementsAre("tasks")),
                    Contains(ElementsAre("stats_hourly"))));
  EXPECT_EQ(cloud.rows("select name, type from columns('clouds')"),
            (Rows{{"id", "text"}, {"type", "text"}}));
  EXPECT_EQ(cloud.rows("select kind, count(*) from functions() group by kind order by kind"),
            (Rows{{"aggregate", "5"}, {"scalar", "43"}, {"table", "3"}}));
  EXPECT_THAT(cloud.syntax_error("select * from columns('users')"),
              HasSubstr("there is no table 'users'"));
}

TEST(SqlTables, ShowAnInstanceWholly) {
  SqlCloud cloud;
  const Rows rows = cloud.rows(
      "select i.id, i.name, i.cloud_id, i.cloud_type, i.project_id = p.id, i.flavor_id, "
      "i.state, i.created, i.fqdn from instances i join projects p on p.name = 'demo' "
      "where i.name = 'web-1'");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(
      rows[0],
      ElementsAre(cloud.vms["web-1"], "web-1", "simulated", "simulated", "1", "m1.nano", "launched",
                  MatchesRegex(R"(2026-01-01T00:00:[0-9]{2}\+00:00\[UTC\])"), "NULL"));
}

TEST(SqlTables, LookUpIdsAndRefuseWhatIsNone) {
  SqlCloud cloud;
  const std::string id = cloud.vms["web-2"];
  EXPECT_EQ(cloud.rows("select name from instances where id = '" + id + "'"), (Rows{{"web-2"}}));
  EXPECT_EQ(cloud.rows("select name from instances where id in ('x', '" + id + "')"),
            (Rows{{"web-2"}}));
  EXPECT_EQ(cloud.rows("select name from instances where '" + id + "' = id and name like 'w%'"),
            (Rows{{"web-2"}}));
  EXPECT_EQ(cloud.rows("select name from instances where id = 'id-one'"), Rows{});
  std::string large = id;
  for (char& c : large) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(cloud.rows("select name from instances where id = '" + large + "'"), Rows{});
  EXPECT_EQ(cloud.rows("select name from instances where id = 5"), Rows{});
  // On the empty side of an outer join the condition still decides.
  EXPECT_EQ(cloud.rows("select p.name from projects p left join instances i on i.name = 'web-1' "
                       "where i.id = '" +
                       id + "'"),
            Rows{});
}

TEST(SqlTables, ShowFlavorsImagesAndNetworks) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select id, ram, vcpus, root_disk, has_swap, is_public from flavors where "
                       "name = 'm1.large'"),
            (Rows{{"4", "8192", "4", "80", "0", "1"}}));
  EXPECT_EQ(cloud.rows("select name from flavors where id = 42"), (Rows{{"m1.nano"}}));
  EXPECT_THAT(cloud.rows("select name, state, checksum from images")[0],
              ElementsAre("cirros-0.5.1-x86_64-disk", "saved", "1d3062cd89af34e419f7100277f38b2b"));
  EXPECT_EQ(cloud.rows("select value from image_metadata where key = 'hw_rng_model'"),
            (Rows{{"virtio"}}));
  EXPECT_EQ(
      cloud.rows("select name, is_shared, state from networks order by name"),
      (Rows{{"private", "0", "ACTIVE"}, {"public", "0", "ACTIVE"}, {"shared", "1", "ACTIVE"}}));
  EXPECT_EQ(cloud.rows("select count(*) from network_subnets s join networks n on "
                       "n.id = s.network_id where n.name = 'private'"),
            (Rows{{"2"}}));
  EXPECT_EQ(cloud.rows("select name from availability_zones"), (Rows{{"default"}}));
  EXPECT_EQ(cloud.rows("select i.name from project_images pi join images i on i.id = pi.image_id"),
            (Rows{{"cirros-0.5.1-x86_64-disk"}}));
  EXPECT_EQ(cloud.rows("select name, pool, instances >= 0 from hosts order by id limit 1"),
            (Rows{{"sim-host-1", "default", "1"}}));
}

TEST(SqlTables, ShowLeasesAndTheirReservations) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select l.id, l.name, l.owner, l.state, l.is_degraded, l.reason, "
                       "p.name from leases l join projects p on p.id = l.project_id"),
            (Rows{{cloud.leases["lease-1"], "lease-1", "demo", "PENDING", "0", "NULL", "demo"}}));
  EXPECT_EQ(cloud.rows("select lease_id, state, hosts, resource_id, resource_type, min_hosts, "
                       "max_hosts, resource_properties, before_end from reservations"),
            (Rows{{cloud.leases["lease-1"], "pending", "sim-host-1,sim-host-2", "1",
                   "physical:host", "1", "1", R"(["==", "$rack", "r7"])", "default"}}));
  const Rows window = cloud.rows(
      "select l.start_date = r.start_date, l.end_date = r.end_date, l.start_date < l.end_date, "
      "l.last_updated, l.start_date from leases l join reservations r on r.lease_id = l.id");
  ASSERT_EQ(window.size(), 1U);
  EXPECT_THAT(window[0], ElementsAre("1", "1", "1", "NULL",
                                     MatchesRegex(R"(2026-01-01T01:00:[0-9]{2}\+00:00\[UTC\])")));
  cloud.add_lease("demo", "lease-2", {"sim-host-4"}, true);
  cloud.follow();
  EXPECT_EQ(cloud.rows("select l.state, r.state from leases l join reservations r on "
                       "r.lease_id = l.id where l.name = 'lease-2'"),
            (Rows{{"ACTIVE", "active"}}));
  EXPECT_EQ(cloud.rows("select count(*) from reservations", {}, Scope::admin()), (Rows{{"3"}}));
}

TEST(SqlTables, ShowTasksAndTheirEvents) {
  SqlCloud cloud;
  const std::string task = cloud.tasks["db-1"];
  EXPECT_EQ(cloud.rows("select command, state, dialect from tasks where id = '" + task + "'"),
            (Rows{{"vm.create", "SUCCEEDED", "core"}}));
  const Rows events = cloud.rows("select type, version from task_events where task_id = '" + task +
                                 "' order by seq");
  EXPECT_THAT(events, Contains(ElementsAre("TaskQueued", "1")));
  EXPECT_THAT(events, Contains(ElementsAre("TaskSucceeded", ::testing::_)));
  EXPECT_EQ(cloud.rows("select count(*) from task_events where task_id = 'none'"), (Rows{{"0"}}));
  EXPECT_EQ(cloud.rows("select count(*) from events where type = 'VmLaunched'"), (Rows{{"3"}}));
  const Rows first = cloud.rows(
      "select seq, data from events where type = 'VmRequested' and "
      "seq > 1 order by seq limit 1");
  EXPECT_THAT(first[0][1], HasSubstr("\"name\":\"web-1\""));
  EXPECT_EQ(cloud.rows("select seq from events where seq = " + first[0][0]), (Rows{{first[0][0]}}));
  EXPECT_EQ(cloud.rows("select count(*) from events where seq between " + first[0][0] + " and " +
                       first[0][0]),
            (Rows{{"1"}}));
  EXPECT_EQ(cloud.rows("select vms_existing, vms_created, vms_deleted from stats_hourly"),
            (Rows{{"3", "3", "0"}}));
}

TEST(SqlTenants, NobodySeesAnotherTenantsRows) {
  SqlCloud cloud;
  const std::string theirs = cloud.vms["secret-1"];
  for (const Table& table : catalog()) {
    const auto result = cloud.one("select * from " + table.name);
    for (const auto& row : result.rows) {
      for (const Value& value : row) {
        EXPECT_THAT(shown(value), ::testing::Not(HasSubstr("secret-1"))) << table.name;
        EXPECT_THAT(shown(value), ::testing::Not(HasSubstr(theirs))) << table.name;
      }
    }
  }
  EXPECT_EQ(cloud.rows("select name from instances where id = '" + theirs + "'"), Rows{});
  EXPECT_EQ(cloud.rows("select count(*) from task_events where task_id = '" +
                       cloud.tasks["secret-1"] + "'"),
            (Rows{{"0"}}));
  EXPECT_EQ(cloud.rows("select name from instances where 1 = 1 or name like '%'").size(), 3U);
}

TEST(SqlTenants, WhoMaySeeEverythingDoes) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select count(*) from instances", {}, Scope::admin()), (Rows{{"5"}}));
  EXPECT_EQ(cloud.rows("select name from projects order by name", {}, Scope::admin()),
            (Rows{{"admin"}, {"demo"}}));
}

TEST(SqlReading, FollowsTheReadModels) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select count(*) from instances"), (Rows{{"3"}}));
  cloud.add_vms("demo", {"new-1"});
  cloud.follow();
  EXPECT_EQ(cloud.rows("select count(*) from instances"), (Rows{{"4"}}));
  EXPECT_EQ(cloud.rows("select max(seq) >= 0 from events"), (Rows{{"1"}}));
}

}  // namespace
}  // namespace slipway::eventstore::sql::testing
