#include "eventstore/read_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "eventstore/projector_core.hpp"
#include "history.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore {
namespace {

using domain::CommandKind;
using domain::TaskId;
using domain::TaskState;
using domain::VmId;
using domain::VmState;
using testing::kStart;
using testing::Recorder;

struct Store {
  explicit Store(std::string_view log_id = "log") {
    ProjectorCore::Options options;
    options.directory = dir.path();
    core = std::move(*ProjectorCore::open(options, log_id));
  }
  explicit Store(const Recorder& history) : Store() { apply(history.batches(500)); }
  void apply(const std::vector<CommittedBatchPtr>& batches) {
    const auto status = core->apply(batches);
    ASSERT_TRUE(status) << status.error().message;
  }
  void apply(const CommittedBatchPtr& batch) { apply(std::vector{batch}); }
  Reader& reader() {
    if (!opened) {
      auto r = ReadModels({.directory = dir.path()}).open_reader();
      EXPECT_TRUE(r);
      opened = std::move(*r);
    }
    return *opened;
  }
  testing::TempDir dir;
  std::unique_ptr<ProjectorCore> core;
  std::unique_ptr<Reader> opened;
};

template <class T>
T value(base::Result<T> result) {
  EXPECT_TRUE(result) << result.error().message;
  return result ? std::move(*result) : T{};
}

// All pages of a list, put together.
template <class List>
auto all_pages(List list, PageRequest page) {
  auto got = value(list(page));
  auto items = got.items;
  while (got.next) {
    page.after = got.next;
    got = value(list(page));
    items.insert(items.end(), got.items.begin(), got.items.end());
  }
  return items;
}

std::vector<TaskRow> all_tasks(Reader& reader, const Scope& scope, const TaskFilter& filter,
                               PageRequest page = {.limit = 37, .ascending = true}) {
  return all_pages([&](const PageRequest& p) { return reader.list_tasks(scope, filter, p); }, page);
}
std::vector<VmRow> all_vms(Reader& reader, const Scope& scope, const VmFilter& filter,
                           PageRequest page = {.limit = 37, .ascending = true}) {
  return all_pages([&](const PageRequest& p) { return reader.list_vms(scope, filter, p); }, page);
}

template <class Row>
std::vector<domain::Seq> seqs(const std::vector<Row>& rows) {
  std::vector<domain::Seq> out;
  for (const Row& row : rows) out.push_back(row.created_seq);
  return out;
}
template <class Row, class Predicate>
std::vector<domain::Seq> seqs_if(const std::vector<Row>& rows, Predicate predicate) {
  std::vector<domain::Seq> out;
  for (const Row& row : rows) {
    if (predicate(row)) out.push_back(row.created_seq);
  }
  return out;
}

// ---- one task ----

TEST(TaskBody, HasEverythingThatAClientIsShown) {
  Recorder r;
  const TaskId task(r.new_id());
  const VmId vm(r.new_id());
  r.accept_vm_create(task, vm, "web-1");
  r.wait(std::chrono::seconds(2));
  r.lease_vm_create(task, vm);
  r.task(task, domain::TaskProgressed{40, "vm.create", "spawning"});
  Store store;
  store.apply(r.take());
  auto answer = value(store.reader().get_task(Scope::tenant("demo"), task));
  ASSERT_TRUE(answer.value);
  const TaskRow& row = *answer.value;
  EXPECT_EQ(answer.seq, r.next_seq() - 1);
  EXPECT_EQ(row.state, TaskState::Running);
  EXPECT_EQ(row.tenant, "demo");
  EXPECT_EQ(row.actor, "demo-user");
  EXPECT_EQ(row.command, CommandKind::VmCreate);
  EXPECT_EQ(row.attempt, 1U);
  EXPECT_EQ(row.max_attempts, 5U);
  EXPECT_EQ(row.version, 4U);
  EXPECT_EQ(row.created_at, kStart);
  EXPECT_EQ(row.started_at, kStart + std::chrono::seconds(2));
  EXPECT_EQ(row.deadline, kStart + std::chrono::hours(24));
  EXPECT_EQ(row.doc.percent, 40U);
  EXPECT_EQ(row.doc.message, "spawning");
  EXPECT_EQ(row.doc.resources.at(0).id, vm);
  EXPECT_THAT(row.doc.args.text, ::testing::HasSubstr("m1.nano"));
  EXPECT_EQ(row.doc.steps.at(0).step, "vm.create");
}

TEST(TaskBody, HasExactlyOneOfResultAndErrorOnceTerminal) {
  Store store(testing::random_history(3, 400));
  for (const TaskRow& row : all_tasks(store.reader(), Scope::admin(), {})) {
    ASSERT_TRUE(row.terminal()) << base::enum_name(row.state);
    EXPECT_NE(row.doc.result.text.empty(), !row.doc.error.has_value());
    EXPECT_TRUE(row.finished_at);
    EXPECT_FALSE(row.next_attempt_at || row.ready_at);
  }
}

TEST(TaskBody, OfABatchCountsItsItems) {
  Store store(testing::random_history(4, 400));
  std::size_t batches = 0;
  for (const TaskRow& row : all_tasks(store.reader(), Scope::admin(), {})) {
    if (!row.batch) continue;
    ++batches;
    const auto items = all_pages(
        [&](const PageRequest& p) { return store.reader().batch_items(Scope::admin(), row.id, p); },
        {.limit = 2});
    ASSERT_EQ(items.size(), row.batch->total);
    BatchCounts counts{row.batch->total, 0, 0, 0};
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(items[i].index, i);
      EXPECT_EQ(items[i].parent, row.id);
      ++(items[i].state == TaskState::Succeeded   ? counts.succeeded
         : items[i].state == TaskState::Cancelled ? counts.cancelled
                                                  : counts.failed);
    }
    EXPECT_EQ(*row.batch, counts);
    EXPECT_EQ(row.batch->running(), 0U);
  }
  EXPECT_GT(batches, 10U);
}

TEST(TaskBody, OfARedriveNamesTheOldTaskAndIsNoItem) {
  Recorder r;
  const TaskId old(r.new_id()), fresh(r.new_id());
  const VmId vm(r.new_id());
  r.accept_vm_create(old, vm, "a");
  r.task(old, domain::TaskDead{{"attempts-exhausted", "", "", "", "", 5, false}});
  r.record(r.accepted_vm_create(fresh, VmId(r.new_id()), "b", old));
  r.task(fresh, domain::TaskRedriven{old, old, {}});
  Store store;
  store.apply(r.take());
  const auto row = value(store.reader().get_task(Scope::tenant("demo"), fresh)).value;
  EXPECT_EQ(row->parent, old);
  EXPECT_TRUE(row->redriven);
  EXPECT_EQ(row->doc.redrives, old);
  EXPECT_EQ(row->doc.root, old);
  EXPECT_TRUE(value(store.reader().batch_items(Scope::tenant("demo"), old, {})).items.empty());
  EXPECT_EQ(value(store.reader().dead_letters(Scope::tenant("demo"), {})).items.size(), 1U);
}

TEST(TaskBody, OfARedriveInABatchIsAnItemOfThatBatch) {
  Recorder r;
  const TaskId old(r.new_id()), batch(r.new_id()), item(r.new_id());
  const VmId vm(r.new_id());
  r.accept_vm_create(old, vm, "a");
  r.task(old, domain::TaskDead{{"attempts-exhausted", "", "", "", "", 5, false}});
  domain::TaskQueued queued;
  queued.command = CommandKind::BatchTaskRedrive;
  r.record({{testing::StreamId(testing::StreamKind::Task, batch), queued},
            {testing::StreamId(testing::StreamKind::Batch, batch),
             domain::BatchOpened{CommandKind::BatchTaskRedrive, 1}}});
  r.record(r.accepted_vm_create(item, VmId(r.new_id()), "b", batch));
  r.task(item, domain::TaskRedriven{old, old, {}});
  Store store;
  store.apply(r.take());
  const auto items = value(store.reader().batch_items(Scope::tenant("demo"), batch, {})).items;
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].parent, batch);
  EXPECT_FALSE(items[0].redriven);
  EXPECT_EQ(items[0].doc.redrives, old);
}

// ---- lists ----

TEST(ListTasks, EveryFilterAgreesWithLookingAtEachRow) {
  const Recorder history = testing::random_history(5, 900);
  Store store;
  auto batches = history.batches(100);
  batches.resize(batches.size() / 2);  // many unfinished
  store.apply(batches);
  Reader& reader = store.reader();
  const auto rows = all_tasks(reader, Scope::admin(), {});
  ASSERT_GT(rows.size(), 300U);
  const base::Time middle = rows[rows.size() / 2].created_at;
  const auto resource = rows[10].resource;
  using Check = std::function<bool(const TaskRow&)>;
  const auto is = [](auto member, auto... values) {
    return [=](const TaskRow& row) { return ((row.*member == values) || ...); };
  };
  const std::vector<std::pair<TaskFilter, Check>> cases{
      {{.states = {TaskState::Succeeded}}, is(&TaskRow::state, TaskState::Succeeded)},
      {{.states = {TaskState::Failed, TaskState::Dead}},
       is(&TaskRow::state, TaskState::Failed, TaskState::Dead)},
      {{.states = {TaskState::Running, TaskState::Succeeded}},
       is(&TaskRow::state, TaskState::Running, TaskState::Succeeded)},
      {{.commands = {CommandKind::VmStop, CommandKind::VmResize}},
       is(&TaskRow::command, CommandKind::VmStop, CommandKind::VmResize)},
      {{.commands = {CommandKind::VmCreate}}, is(&TaskRow::command, CommandKind::VmCreate)},
      {{.dialects = {domain::Dialect::Nano}}, is(&TaskRow::dialect, domain::Dialect::Nano)},
      {{.resource = resource}, is(&TaskRow::resource, resource)},
      {{.tenant = "other"}, is(&TaskRow::tenant, "other")},
      {{.created_after = middle}, [=](const TaskRow& row) { return row.created_at > middle; }},
      {{.states = {TaskState::Dead}, .created_before = middle},
       [=](const TaskRow& row) { return row.state == TaskState::Dead && row.created_at < middle; }},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& filter = cases[i].first;
    const auto& check = cases[i].second;
    EXPECT_THAT(seqs(all_tasks(reader, Scope::admin(), filter)), seqs_if(rows, check)) << i;
    const auto mine = [&](const TaskRow& row) { return row.tenant == "demo" && check(row); };
    const auto expected = seqs_if(rows, mine);
    EXPECT_THAT(seqs(all_tasks(reader, Scope::tenant("demo"), filter)), expected) << i;
    auto newest_first = seqs(all_tasks(reader, Scope::tenant("demo"), filter, {.limit = 13}));
    std::reverse(newest_first.begin(), newest_first.end());
    EXPECT_THAT(newest_first, expected) << i;
    const auto counted =
        value(reader.list_tasks(Scope::tenant("demo"), filter, {.limit = 1, .count = true}));
    EXPECT_EQ(counted.total, expected.size()) << i;
    EXPECT_FALSE(counted.total_is_lower_bound);
    EXPECT_EQ(value(reader.task_ids(Scope::tenant("demo"), filter, 100000)).value.size(),
              expected.size());
  }
}

TEST(ListTasks, FindsTasksByTheLabelsOfTheirVm) {
  Store store(testing::random_history(6, 300));
  std::set<base::Uuid> labelled;
  for (const VmRow& vm : all_vms(store.reader(), Scope::admin(), {.labels = {{"team", "web"}}})) {
    labelled.insert(vm.id);
  }
  const auto rows = all_tasks(store.reader(), Scope::admin(), {.labels = {{"team", "web"}}});
  EXPECT_GT(rows.size(), 5U);
  std::set<base::Uuid> seen;
  for (const TaskRow& row : rows) seen.insert(row.resource);
  EXPECT_TRUE(std::includes(seen.begin(), seen.end(), labelled.begin(), labelled.end()));
}

TEST(ListVms, EveryFilterAgreesWithLookingAtEachRow) {
  const Recorder history = testing::random_history(7, 900);
  Store store;
  auto batches = history.batches(100);
  batches.resize(batches.size() / 2);
  store.apply(batches);
  Reader& reader = store.reader();
  const auto rows = all_vms(reader, Scope::admin(), {});
  ASSERT_GT(rows.size(), 100U);
  using Check = std::function<bool(const VmRow&)>;
  const base::Time middle = rows[rows.size() / 2].created_at;
  const std::vector<std::pair<VmFilter, Check>> cases{
      {{}, [](const VmRow&) { return true; }},
      {{.states = {VmState::Running}}, [](const VmRow& r) { return r.state == VmState::Running; }},
      {{.states = {VmState::Error, VmState::Launching}},
       [](const VmRow& r) { return r.state == VmState::Error || r.state == VmState::Launching; }},
      {{.name = "vm-7"}, [](const VmRow& r) { return r.spec.name == "vm-7"; }},
      {{.flavor = "m1.tiny"}, [](const VmRow& r) { return r.spec.size.flavor == "m1.tiny"; }},
      {{.host = "host-3"}, [](const VmRow& r) { return r.spec.host == "host-3"; }},
      {{.tenant = "third"}, [](const VmRow& r) { return r.tenant() == "third"; }},
      {{.created_after = middle}, [=](const VmRow& r) { return r.created_at > middle; }},
      {{.labels = {{"team", "web"}}}, [](const VmRow& r) { return !r.spec.labels.empty(); }},
      {{.labels = {{"team", "db"}}}, [](const VmRow&) { return false; }},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& filter = cases[i].first;
    const auto& check = cases[i].second;
    EXPECT_THAT(seqs(all_vms(reader, Scope::admin(), filter)), seqs_if(rows, check)) << i;
    const auto mine = [&](const VmRow& r) { return r.tenant() == "demo" && check(r); };
    const auto expected = seqs_if(rows, mine);
    EXPECT_THAT(seqs(all_vms(reader, Scope::tenant("demo"), filter)), expected) << i;
    ListScan scan;
    std::vector<domain::Seq> scanned;
    while (!scan.done) {
      ASSERT_TRUE(reader.scan_vms(Scope::tenant("demo"), filter, scan, 7,
                                  [&](const VmRow& row) { scanned.push_back(row.created_seq); }));
    }
    EXPECT_THAT(scanned, expected) << i;
  }
}

TEST(ListVms, LeavesDeletedOnesOutButFindsThemById) {
  Recorder r;
  const VmId vm(r.new_id());
  r.whole_vm_create(TaskId(r.new_id()), vm, "gone");
  r.whole_vm_delete(TaskId(r.new_id()), vm);
  Store store;
  store.apply(r.take());
  EXPECT_TRUE(value(store.reader().list_vms(Scope::admin(), {}, {})).items.empty());
  const auto row = value(store.reader().get_vm(Scope::tenant("demo"), vm)).value;
  ASSERT_TRUE(row);
  EXPECT_EQ(row->state, VmState::Deleted);
  EXPECT_TRUE(row->deleted_at);
}

TEST(Paging, UnderWritesSeesEveryItemThatExistedThroughoutExactlyOnce) {
  for (const bool ascending : {true, false}) {
    Recorder r;
    Store store;
    std::vector<std::pair<TaskId, VmId>> made;
    const auto make = [&](int n) {
      for (int i = 0; i < n; ++i) {
        made.emplace_back(TaskId(r.new_id()), VmId(r.new_id()));
        r.accept_vm_create(made.back().first, made.back().second, "vm");
      }
    };
    make(200);
    store.apply(r.take());
    std::vector<TaskId> tasks;
    std::vector<VmId> vms;
    PageRequest tasks_page{.limit = 9, .ascending = ascending};
    PageRequest vms_page = tasks_page;
    std::size_t next = 0;
    for (bool more = true; more;) {
      auto a = value(store.reader().list_tasks(Scope::tenant("demo"), {}, tasks_page));
      auto b = value(store.reader().list_vms(Scope::tenant("demo"), {}, vms_page));
      for (const TaskRow& row : a.items) tasks.push_back(row.id);
      for (const VmRow& row : b.items) vms.push_back(row.id);
      tasks_page.after = a.next;
      vms_page.after = b.next;
      more = a.next.has_value() && tasks.size() < 1000;
      make(5);
      for (int i = 0; i < 5; ++i, ++next) {  // states change under the list
        r.lease_vm_create(made[next].first, made[next].second);
        r.finish_vm_create(made[next].first, made[next].second);
      }
      store.apply(r.take());
    }
    for (std::size_t i = 0; i < 200; ++i) {
      EXPECT_EQ(std::count(tasks.begin(), tasks.end(), made[i].first), 1) << i;
      EXPECT_EQ(std::count(vms.begin(), vms.end(), made[i].second), 1) << i;
    }
  }
}

// ---- tenants ----

TEST(TenantFilter, HidesEveryForeignThingFromEveryQuestion) {
  Store store(testing::random_history(8, 200));
  Reader& reader = store.reader();
  const Scope stranger = Scope::tenant("stranger");
  const auto tasks = all_tasks(reader, Scope::admin(), {});
  const auto vms = all_vms(reader, Scope::admin(), {});
  ASSERT_FALSE(tasks.empty() || vms.empty());
  for (const TaskRow& row : tasks) {
    EXPECT_FALSE(value(reader.get_task(stranger, row.id)).value);
    EXPECT_TRUE(value(reader.batch_items(stranger, row.id, {.count = true})).items.empty());
    EXPECT_TRUE(all_tasks(reader, stranger, {.resource = row.resource}).empty());
    EXPECT_TRUE(all_tasks(reader, stranger, {.batch = row.id}).empty());
  }
  for (const VmRow& row : vms) {
    EXPECT_FALSE(value(reader.get_vm(stranger, row.id)).value);
    EXPECT_TRUE(value(reader.snapshots(stranger, row.id)).value.empty());
    EXPECT_TRUE(all_vms(reader, stranger, {.name = row.spec.name}).empty());
    EXPECT_TRUE(all_vms(reader, stranger, {.host = row.spec.host}).empty());
  }
  const auto page = value(reader.list_tasks(stranger, {.tenant = "demo"}, {.count = true}));
  EXPECT_TRUE(page.items.empty());
  EXPECT_EQ(page.total, 0U);
  EXPECT_EQ(value(reader.list_vms(stranger, {}, {.count = true})).total, 0U);
  EXPECT_TRUE(value(reader.dead_letters(stranger, {})).items.empty());
  EXPECT_TRUE(all_tasks(reader, stranger, {.labels = {{"team", "web"}}}).empty());
  EXPECT_TRUE(all_vms(reader, stranger, {.labels = {{"team", "web"}}}).empty());
  EXPECT_TRUE(value(reader.task_ids(stranger, {}, 10)).value.empty());
  for (const VmState state : {VmState::Running, VmState::Error}) {
    EXPECT_TRUE(all_vms(reader, stranger, {.states = {state}}).empty());
  }
  ListScan scan;
  ASSERT_TRUE(reader.scan_vms(stranger, {}, scan, 100, [](const VmRow&) { FAIL(); }));
  EXPECT_TRUE(value(reader.list_projects(stranger, {})).items.empty());
  EXPECT_FALSE(value(reader.get_project(stranger, "demo")).value);
  EXPECT_TRUE(value(reader.list_users(stranger, {})).items.empty());
  EXPECT_TRUE(value(reader.list_tokens(stranger, {})).items.empty());
  // The random clock may have been set back before its start.
  const base::Time now = std::max(store.core->last_event_time(), kStart + std::chrono::hours(1));
  const auto per_hour = value(reader.vms_per_hour(stranger, now));
  for (const HourCount& hour : per_hour.value) {
    EXPECT_EQ(hour.vms, 0);
  }
  for (const Series series : {Series::VmsExisting, Series::VmsCreated, Series::VmsDeleted,
                              Series::VmHours, Series::TasksFinished, Series::TaskWait}) {
    const SeriesQuery query{.series = series, .from = kStart, .to = now, .now = now};
    const auto points = value(reader.series(stranger, query));
    for (const SeriesPoint& point : points.value) {
      EXPECT_EQ(point.value, 0);
    }
  }
  EXPECT_FALSE(reader.series(
      stranger, {.from = kStart, .to = now, .now = now, .group_by = SeriesGroup::Tenant}));
}

TEST(TenantFilter, ShowsOwnAndPublicImages) {
  Recorder r;
  const auto image = [&](const char* name, const char* tenant, bool is_public) {
    domain::Image made;
    made.id = domain::ImageId(r.new_id());
    made.name = name;
    made.tenant = tenant;
    made.is_public = is_public;
    r.record(
        {{testing::StreamId(testing::StreamKind::Image, made.id), domain::ImageRegistered{made}}});
    return made.id;
  };
  image("mine", "demo", false);
  const auto foreign = image("theirs", "other", false);
  const auto common = image("common", "other", true);
  Store store;
  store.apply(r.take());
  const auto page = value(store.reader().list_images(Scope::tenant("demo"), {.ascending = true}));
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].image.name, "mine");
  EXPECT_EQ(page.items[1].image.name, "common");
  EXPECT_FALSE(value(store.reader().get_image(Scope::tenant("demo"), foreign)).value);
  EXPECT_TRUE(value(store.reader().get_image(Scope::tenant("demo"), common)).value);
}

TEST(Usage, OfHostsAndProjectsIsWhatTheirVmsHold) {
  const Recorder history = testing::random_history(9, 700);
  Store store;
  auto batches = history.batches(100);
  batches.resize(batches.size() / 2);
  store.apply(batches);
  const auto vms = all_vms(store.reader(), Scope::admin(), {});
  const auto used_by = [&](auto is) {
    Usage used;
    for (const VmRow& vm : vms) {
      if (!is(vm)) continue;
      used.vms += 1;
      used.vcpus += vm.spec.size.vcpus;
      used.memory_mb += vm.spec.size.memory_mb;
      used.disk_gb += vm.spec.size.disk_gb;
    }
    return used;
  };
  const auto hosts = value(store.reader().list_hosts(Scope::admin(), {}));
  for (const HostRow& row : hosts.items) {
    EXPECT_EQ(row.used, used_by([&](const VmRow& vm) { return vm.spec.host == row.host.name; }));
  }
  const auto tasks = all_tasks(store.reader(), Scope::admin(), {});
  const auto projects = value(store.reader().list_projects(Scope::admin(), {}));
  for (const ProjectRow& row : projects.items) {
    EXPECT_EQ(row.used, used_by([&](const VmRow& vm) { return vm.tenant() == row.project.name; }));
    EXPECT_EQ(row.tasks_in_flight, std::count_if(tasks.begin(), tasks.end(), [&](const TaskRow& t) {
                return t.tenant == row.project.name && !t.terminal();
              }));
  }
}

}  // namespace
}  // namespace slipway::eventstore
