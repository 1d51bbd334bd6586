// The simulated cloud's file: those of older versions, and what tests and people do to it from
// outside while it is in use.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>

#include "core/base/clock.hpp"
#include "tests/workers/harness.hpp"
#include "workers/backends/simulated/inventory.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::workers::simulated {
namespace {

using namespace test;  // NOLINT
using testing::IsEmpty;
using testing::SizeIs;

// The tables as they were before VMs and images had a tag, with one of each.
constexpr const char* kFirstVersion = R"(
CREATE TABLE vms(
  number INTEGER PRIMARY KEY, vm BLOB NOT NULL, made_by BLOB NOT NULL, name TEXT NOT NULL,
  state INTEGER NOT NULL, flavor TEXT NOT NULL, vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL,
  disk_gb INTEGER NOT NULL, old_size TEXT, image BLOB NOT NULL, ipv4 INTEGER NOT NULL,
  host TEXT NOT NULL, old_host TEXT NOT NULL, ready_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL, created_at INTEGER NOT NULL, reboots INTEGER NOT NULL);
CREATE TABLE images(
  number INTEGER PRIMARY KEY, image BLOB NOT NULL, made_by BLOB NOT NULL, name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, ready_at INTEGER NOT NULL, started_at INTEGER NOT NULL);
INSERT INTO vms VALUES(1, x'00000000000070000000000000000011', x'00000000000070000000000000000012',
  'old', 1, 'm1.small', 2, 4096, 20, NULL, x'', 167772161, 'sim-3', '', 5, 4, 3, 7);
INSERT INTO images VALUES(2, x'', x'00000000000070000000000000000013', 'saved', 99, 5, 4);
)";

class SimulatedStore : public testing::Test {
 protected:
  SimulatedStore() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~SimulatedStore() override { std::filesystem::remove_all(folder); }

  std::string path() const { return (folder / "simulated.db").string(); }
  // As any other program would; "" or what SQLite says.
  std::string from_outside(const std::string& sql) const {
    sqlite3* db = nullptr;
    sqlite3_open(path().c_str(), &db);
    sqlite3_busy_timeout(db, 5000);
    char* error = nullptr;
    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error);
    std::string said = error == nullptr ? "" : error;
    sqlite3_free(error);
    sqlite3_close(db);
    return said;
  }
  void start() {
    auto store = open_sqlite_store(path());
    ASSERT_TRUE(store.has_value()) << store.error().message;
    backend = std::make_unique<InlineBackend>(Options::without_latency(), std::move(*store));
    backend->on_timer(kStart);
  }
  // All pieces of it.
  domain::Inventory inventory() {
    std::shared_ptr<domain::Inventory> seen;
    backend->inventory({}, [&](BackendAnswer&& a) { seen = a.inventory; });
    while (!seen && backend->next_timer()) backend->on_timer(kStart);
    EXPECT_NE(seen, nullptr);
    return seen ? *seen : domain::Inventory{};
  }
  void create(std::uint64_t n) {
    auto work = std::make_shared<LeasedWork>();
    work->order = order_for(CommandKind::VmCreate, n);
    work->order.installation = "here";
    backend->perform({.work = work, .step = "vm.create", .operation = "vm.create"},
                     [](BackendAnswer&& a) { EXPECT_EQ(a.kind, BackendAnswer::Kind::Done); });
  }

  std::filesystem::path folder;
  std::unique_ptr<InlineBackend> backend;
};

TEST_F(SimulatedStore, AFileOfTheFirstVersionKeepsWhatItHas) {
  ASSERT_EQ(from_outside(kFirstVersion), "");
  for (int opened = 0; opened < 2; ++opened) {
    auto store = open_sqlite_store(path());
    ASSERT_TRUE(store.has_value()) << store.error().message;
    const auto vm = (*store)->vm(1);
    ASSERT_TRUE(vm);
    EXPECT_EQ(vm->vm, id<domain::VmId>(0x11));
    EXPECT_EQ(vm->reboots, 7U);
    EXPECT_EQ(vm->installation, "");
    EXPECT_TRUE(vm->root.is_nil());
    const auto image = (*store)->image(2);
    ASSERT_TRUE(image);
    EXPECT_EQ(image->size_bytes, 99U);
    (*store)->put(*vm);
  }
  // The key of one that has no root follows from who made it.
  const auto witness = take_inventory(path(), kStart);
  ASSERT_TRUE(witness.has_value());
  EXPECT_EQ(witness->vms.at(0).key, domain::correlation_key(id<TaskId>(0x12), "vm.create"));
  start();
  EXPECT_EQ(inventory().vms.at(0).tag, domain::Tag{});
}

TEST_F(SimulatedStore, AFileOfALaterVersionIsRefusedUntouched) {
  ASSERT_EQ(from_outside("PRAGMA user_version = 99"), "");
  EXPECT_FALSE(open_sqlite_store(path()).has_value());
  EXPECT_EQ(from_outside("SELECT * FROM vms"), "no such table: vms");
}

TEST_F(SimulatedStore, TheTagIsKeptWithWhatIsMade) {
  start();
  create(1);
  const domain::Inventory seen = inventory();
  ASSERT_THAT(seen.vms, SizeIs(1));
  const domain::SeenVm& vm = seen.vms[0];
  EXPECT_EQ(vm.tag.installation, "here");
  EXPECT_EQ(vm.tag.key, domain::correlation_key(id<TaskId>(1), "vm.create"));
  EXPECT_EQ(vm.vm, order_for(CommandKind::VmCreate, 1).vm);
  EXPECT_EQ(vm.name, "web-1");
  EXPECT_EQ(vm.host, "sim-1");
  EXPECT_EQ(vm.size.memory_mb, 2048U);
}

// What store.hpp says under "Damage", while the cloud is in use.
TEST_F(SimulatedStore, DamageFromOutsideIsSeen) {
  start();
  for (std::uint64_t n = 1; n <= 3; ++n) create(n);
  EXPECT_EQ(from_outside("DELETE FROM vms WHERE number = 1"), "");
  EXPECT_EQ(from_outside("UPDATE vms SET state = 1 WHERE number = 2"), "");
  EXPECT_EQ(
      from_outside("UPDATE totals SET last_number = last_number + 1;"
                   "INSERT INTO vms(number, vm, made_by, name, state, flavor, vcpus, memory_mb,"
                   "  disk_gb, image, ipv4, host, old_host, ready_at, started_at, created_at,"
                   "  reboots)"
                   "SELECT last_number, x'', x'', 'theirs', 0, '', 1, 512, 1, x'', 0, 'sim-1',"
                   "  '', 0, 0, 0, 0 FROM totals"),
      "");
  create(4);
  const domain::Inventory seen = inventory();
  ASSERT_THAT(seen.vms, SizeIs(4));
  EXPECT_EQ(seen.vms[0].ref, "sim-2");
  EXPECT_EQ(seen.vms[0].state, domain::VmState::Stopped);
  EXPECT_EQ(seen.vms[1].state, domain::VmState::Running);
  EXPECT_EQ(seen.vms[2].name, "theirs");
  EXPECT_EQ(seen.vms[2].tag, domain::Tag{});
  EXPECT_TRUE(seen.vms[2].vm.is_nil());
  EXPECT_EQ(seen.vms[3].ref, "sim-5");
}

TEST_F(SimulatedStore, AListIsReadInPiecesBetweenWhichCallsAreAnswered) {
  start();
  constexpr std::size_t kMany = 5000;
  for (std::uint64_t n = 1; n <= kMany; ++n) create(n);
  std::shared_ptr<domain::Inventory> seen;
  backend->inventory({}, [&](BackendAnswer&& a) { seen = a.inventory; });
  EXPECT_EQ(seen, nullptr);
  create(kMany + 1);  // within the call
  while (!seen && backend->next_timer()) backend->on_timer(kStart);
  ASSERT_NE(seen, nullptr);
  EXPECT_THAT(seen->vms, SizeIs(kMany + 1));
  EXPECT_EQ(seen->vms.back().name, "web-5001");
}

TEST_F(SimulatedStore, TheThreadedBackendListsToo) {
  base::SystemClock clock;
  auto threaded = SimulatedBackend::open(path(), Options::without_latency(), clock);
  ASSERT_TRUE(threaded.has_value());
  std::mutex mu;
  std::condition_variable came;
  bool woken = false;
  CompletionQueue queue([&] {
    const std::lock_guard lock(mu);
    woken = true;
    came.notify_all();
  });
  (*threaded)->attach(queue);
  std::size_t lists = 0;
  for (int n = 0; n < 2; ++n) {
    (*threaded)->inventory({}, [&](BackendAnswer&& a) { lists += a.inventory ? 1U : 0U; });
  }
  while (lists < 2) {
    std::unique_lock lock(mu);
    ASSERT_TRUE(came.wait_for(lock, 10s, [&] { return woken; }));
    woken = false;
    lock.unlock();
    queue.run();
  }
  threaded->reset();
}

}  // namespace
}  // namespace slipway::workers::simulated
