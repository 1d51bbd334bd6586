// Bodies into commands: one row a body.
#include "api/core_api/parse_command.hpp"

#include <gtest/gtest.h>

#include "core/base/json_read.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using domain::CommandKind;

base::Result<ParsedCommand> parse(std::string_view text) {
  static base::JsonParser parser;
  const auto json = parser.parse(text);
  EXPECT_TRUE(json.has_value()) << text;
  return parse_command(*json);
}

constexpr std::string_view kId = "0197a265-0000-7000-8000-000000000001";

std::string with_id(std::string text) {
  const std::size_t at = text.find("ID");
  if (at != std::string::npos) text.replace(at, 2, "\"" + std::string(kId) + "\"");
  return text;
}

TEST(ParseCommand, TakesEveryCommandAClientMaySend) {
  struct Row {
    const char* body;
    CommandKind kind;
  };
  const Row rows[] = {
      {R"({"command":"vm.create","args":{"name":"a","flavor":"f","image":"i"}})",
       CommandKind::VmCreate},
      {R"({"command":"vm.create","args":{"name":"a","size":{"vcpus":1,"memory_mb":64,"disk_gb":0},"image":"i"}})",
       CommandKind::VmCreate},
      {R"({"command":"vm.delete","args":{"vm":ID}})", CommandKind::VmDelete},
      {R"({"command":"vm.assign","args":{"vm":ID,"user":"ada","vm_type":"app"}})",
       CommandKind::VmAssign},
      {R"({"command":"vm.release","args":{"vm":ID}})", CommandKind::VmRelease},
      {R"({"command":"vm.start","args":{"vm":ID}})", CommandKind::VmStart},
      {R"({"command":"vm.reboot","args":{"vm":ID,"hard":true}})", CommandKind::VmReboot},
      {R"({"command":"vm.unpause","args":{"vm":ID}})", CommandKind::VmUnpause},
      {R"({"command":"vm.resize","args":{"vm":ID,"flavor":"f"}})", CommandKind::VmResize},
      {R"({"command":"vm.rebuild","args":{"vm":ID}})", CommandKind::VmRebuild},
      {R"({"command":"vm.rename","args":{"vm":ID,"name":"b"}})", CommandKind::VmRename},
      {R"({"command":"vm.migrate","args":{"vm":ID,"host":"h"}})", CommandKind::VmMigrate},
      {R"({"command":"vm.snapshot.create","args":{"vm":ID,"name":"s"}})",
       CommandKind::VmSnapshotCreate},
      {R"({"command":"image.capture","args":{"vm":ID,"name":"g"}})", CommandKind::ImageCapture},
      {R"({"command":"image.delete","args":{"image":ID}})", CommandKind::ImageDelete},
      {R"({"command":"vm.set_cores","args":{"vm":ID,"vcpus":2}})", CommandKind::VmSetCores},
      {R"({"command":"vm.set_memory","args":{"vm":ID,"memory_mb":64}})", CommandKind::VmSetMemory},
      {R"({"command":"vm.disk.resize","args":{"vm":ID,"disk":0,"size_bytes":1073741824}})",
       CommandKind::VmDiskResize},
      {R"({"command":"vm.disk.shrink","args":{"vm":ID,"disk":0}})", CommandKind::VmDiskShrink},
      {R"({"command":"vm.reset_system","args":{"vm":ID,"image":"i"}})", CommandKind::VmResetSystem},
      {R"({"command":"vm.set_auto_start","args":{"vm":ID,"enabled":true}})",
       CommandKind::VmSetAutoStart},
      {R"({"command":"vm.media.insert","args":{"image":"0197a265-0000-7000-8000-000000000002","vm":ID}})",
       CommandKind::VmMediaInsert},
      {R"({"command":"vm.media.eject","args":{"vm":ID}})", CommandKind::VmMediaEject},
      {R"({"command":"batch.vm.delete","args":{"vms":[ID]}})", CommandKind::BatchVmDelete},
      {R"({"command":"batch.vm.stop","args":{"vms":[ID]}})", CommandKind::BatchCommands},
      {R"({"command":"batch.vm.create","args":{"template":{"name":"a","flavor":"f","image":"i"},"count":3}})",
       CommandKind::BatchVmCreate},
      {R"({"command":"task.cancel","args":{"task":ID}})", CommandKind::TaskCancel},
      {R"({"command":"task.set_priority","args":{"task":ID,"priority":9}})",
       CommandKind::TaskSetPriority},
      {R"({"command":"user.create","args":{"name":"u","tenant":"t","role":"viewer","password":"p"}})",
       CommandKind::UserCreate},
      {R"({"command":"token.create","args":{"name":"u","role":"admin"}})",
       CommandKind::TokenCreate},
      {R"({"command":"quota.set","args":{"project":"p","vms":5}})", CommandKind::QuotaSet},
      {R"({"command":"host.set_alive","args":{"host":"h","alive":true}})",
       CommandKind::HostSetAlive},
      {R"({"command":"backend.register","args":{"name":"lab","type":"openstack","worker_pool":"w","policy":"adopt","tenant":"t"}})",
       CommandKind::BackendRegister},
  };
  for (const Row& row : rows) {
    const auto parsed = parse(with_id(row.body));
    ASSERT_TRUE(parsed.has_value()) << row.body << ": " << parsed.error().message;
    EXPECT_EQ(domain::kind_of(parsed->body), row.kind) << row.body;
  }
}

TEST(ParseCommand, RefusesWhatIsWrongWithTheRightCode) {
  const std::string long_name(256, 'x');
  struct Row {
    std::string body;
    Errc code;
    std::string pointer;
  };
  const Row rows[] = {
      {R"({})", Errc::InvalidArgument, "/command"},
      {R"({"command":"vm.explode"})", Errc::UnknownCommand, "/command"},
      {R"({"command":"system.initialize"})", Errc::UnknownCommand, "/command"},
      {R"({"command":"vm.start","args":{}})", Errc::InvalidArgument, "/args/vm"},
      {R"({"command":"backend.register","args":{"type":"xen"}})", Errc::InvalidArgument,
       "/args/name"},
      {R"({"command":"backend.register","args":{"name":"n","type":"xen"}})", Errc::InvalidArgument,
       "/args/type"},
      {R"({"command":"backend.register","args":{"name":"n","type":"libvirt","policy":"keep"}})",
       Errc::InvalidArgument, "/args/policy"},
      {R"({"command":"vm.start","args":{"vm":"nope"}})", Errc::InvalidArgument, "/args/vm"},
      {R"({"command":"vm.start","args":[]})", Errc::InvalidArgument, "/args"},
      {R"({"command":"vm.start","args":{"vm":ID,"force":true}})", Errc::InvalidArgument,
       "/args/force"},
      {R"({"command":"vm.start","args":{"vm":ID},"priority":10})", Errc::UnprocessableArgument,
       "/priority"},
      {R"({"command":"vm.start","args":{"vm":ID},"deadline":"soon"})", Errc::InvalidArgument,
       "/deadline"},
      {R"({"command":"vm.start","args":{"vm":ID},"depends_on":["x"]})", Errc::InvalidArgument,
       "/depends_on/0"},
      {R"({"command":"vm.create","args":{"name":")" + long_name + R"(","flavor":"f","image":"i"}})",
       Errc::UnprocessableArgument, "/args/name"},
      {R"({"command":"vm.create","args":{"name":"a\nb","flavor":"f","image":"i"}})",
       Errc::InvalidArgument, "/args/name"},
      {R"({"command":"vm.create","args":{"name":"a","flavor":"f","image":"i","labels":{"a/b":1}}})",
       Errc::InvalidArgument, "/args/labels/a~1b"},
      {R"({"command":"batch.commands","args":{"commands":[{"command":"vm.start","args":{"vm":"x"}}]}})",
       Errc::InvalidArgument, "/args/commands/0/args/vm"},
      {R"({"command":"batch.commands","args":{"commands":[{"command":"user.delete","args":{}}]}})",
       Errc::InvalidArgument, "/args/commands/0/command"},
      {R"({"command":"batch.commands","args":{"commands":[]}})", Errc::UnprocessableArgument,
       "/args/commands"},
      {R"({"command":"token.create","args":{"name":"n","role":"none"}})", Errc::InvalidArgument,
       "/args/role"},
  };
  for (const Row& row : rows) {
    const auto parsed = parse(with_id(row.body));
    ASSERT_FALSE(parsed.has_value()) << row.body;
    EXPECT_EQ(parsed.error().code, row.code) << row.body;
    ASSERT_FALSE(parsed.error().fields.empty()) << row.body;
    EXPECT_EQ(parsed.error().fields.front().pointer, row.pointer) << row.body;
  }
}

TEST(ParseCommand, G7_3_NobodySaysInABodyWhoHeIs) {
  for (const std::string name : {"tenant", "actor", "role", "state", "id"}) {
    const auto beside =
        parse(with_id(R"({"command":"vm.start","args":{"vm":ID},")" + name + R"(":"another"})"));
    ASSERT_FALSE(beside.has_value()) << name;
    EXPECT_EQ(beside.error().fields.front().pointer, "/" + name);
    const auto within =
        parse(with_id(R"({"command":"vm.start","args":{"vm":ID,")" + name + R"(":"another"}})"));
    ASSERT_FALSE(within.has_value()) << name;
    EXPECT_EQ(within.error().fields.front().pointer, "/args/" + name);
  }
}

TEST(ParseCommand, KeepsSecretsOutOfTheCommand) {
  const auto parsed = parse(
      R"({"command":"vm.create","args":{"name":"a","flavor":"f","image":"i","admin_password":"p1","user_data":"d1"}})");
  ASSERT_TRUE(parsed.has_value());
  const auto& create = std::get<domain::CreateVm>(parsed->body);
  ASSERT_EQ(parsed->secrets.size(), 2U);
  EXPECT_EQ(create.admin_secret, parsed->secrets[0].ref);
  EXPECT_EQ(parsed->secrets[0].value.reveal(), "p1");
  base::JsonWriter w;
  base::write_json(w, create);
  EXPECT_EQ(w.text().find("p1"), std::string::npos);
}

TEST(ParseCommand, ATemplateNumbersItsCopies) {
  const auto parsed = parse(
      R"({"command":"batch.commands","args":{"template":{"command":"vm.create","args":{"name":"n{n}x","flavor":"f","image":"i"}},"count":2}})");
  ASSERT_TRUE(parsed.has_value());
  const auto& batch = std::get<domain::OpenBatch>(parsed->body);
  ASSERT_EQ(batch.items.size(), 2U);
  EXPECT_EQ(std::get<domain::CreateVm>(batch.items[0].body).name, "n1x");
  EXPECT_EQ(std::get<domain::CreateVm>(batch.items[1].body).name, "n2x");
  EXPECT_NE(std::get<domain::CreateVm>(batch.items[0].body).vm,
            std::get<domain::CreateVm>(batch.items[1].body).vm);
}

}  // namespace
}  // namespace slipway::api
