// Statistics against counting every event by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/projections/time_zone.hpp"
#include "eventstore/projector_core.hpp"
#include "eventstore/read_models.hpp"
#include "history.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore {
namespace {

using domain::TaskId;
using domain::VmId;
using std::chrono::hours;
using std::chrono::minutes;
using testing::kStart;
using testing::Recorder;

struct Fixture {
  explicit Fixture(const Recorder& history) {
    ProjectorCore::Options options;
    options.directory = dir.path();
    core = std::move(*ProjectorCore::open(options, ""));
    for (const auto& batch : history.batches(200)) EXPECT_TRUE(core->apply({&batch, 1}));
    reader = std::move(*ReadModels({.directory = dir.path()}).open_reader());
  }
  std::vector<SeriesPoint> series(const SeriesQuery& query, const Scope& scope = Scope::admin()) {
    auto answer = reader->series(scope, query);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? answer->value : std::vector<SeriesPoint>();
  }
  testing::TempDir dir;
  std::unique_ptr<ProjectorCore> core;
  std::unique_ptr<Reader> reader;
};

// When each VM began and ceased to exist.
struct Existence {
  std::string tenant;
  base::Time from{};
  base::Time to = base::Time::max();
};
std::vector<Existence> existences(const Recorder& history) {
  std::map<base::Uuid, Existence> vms;
  for (const auto& record : history.records()) {
    for (const auto& event : record.events) {
      if (const auto* e = std::get_if<domain::VmRequested>(&event.body)) {
        vms[event.stream.id] = {e->spec.project, record.envelope.time, base::Time::max()};
      } else if (std::holds_alternative<domain::VmDeleted>(event.body)) {
        vms[event.stream.id].to = record.envelope.time;
      }
    }
  }
  std::vector<Existence> out;
  for (const auto& [id, existence] : vms) out.push_back(existence);
  return out;
}

TEST(VmSeries, AgreeWithCountingEveryVmByHandAlsoWhenTheClockWasSetBack) {
  const Recorder history = testing::random_history(11, 800);
  Fixture f(history);
  const auto all = existences(history);
  base::Time last = kStart;
  for (const auto& record : history.records()) last = std::max(last, record.envelope.time);
  const base::Time now = last + minutes(17);
  SeriesQuery query{.from = kStart, .to = now, .now = now};
  for (const std::string tenant : {"demo", "third"}) {
    query.series = Series::VmsExisting;
    const auto existing = f.series(query, Scope::tenant(tenant));
    query.series = Series::VmHours;
    const auto vm_hours = f.series(query, Scope::tenant(tenant));
    ASSERT_EQ(existing.size(), vm_hours.size());
    ASSERT_GT(existing.size(), 10U);
    for (std::size_t i = 0; i < existing.size(); ++i) {
      const base::Time start = existing[i].start;
      const base::Time end = std::min(start + hours(1), now);
      std::int64_t count = 0;
      std::int64_t us = 0;
      for (const Existence& vm : all) {
        if (vm.tenant != tenant) continue;
        // Signed: where the clock ran backwards, a VM may have ended before it began.
        const auto since = [&](base::Time t) {
          return std::clamp<std::int64_t>((end - t).count(), 0, (end - start).count());
        };
        us += since(vm.from) - (vm.to == base::Time::max() ? 0 : since(vm.to));
        count += (vm.from < start + hours(1)) - (vm.to < start + hours(1));
      }
      EXPECT_EQ(existing[i].value, static_cast<double>(count)) << base::rfc3339(start);
      EXPECT_NEAR(vm_hours[i].value, static_cast<double>(us) / 3.6e9, 1e-6) << base::rfc3339(start);
    }
  }
}

TEST(PerDay, HasOneRowForEachOfTheLast24HoursSinceTheFirstEventAndTheRunningOneLast) {
  Recorder r;
  r.now = kStart + minutes(30);
  r.whole_vm_create(TaskId(r.new_id()), VmId(r.new_id()), "a");
  r.wait(hours(2));
  const VmId b(r.new_id());
  r.whole_vm_create(TaskId(r.new_id()), b, "b");
  r.wait(hours(1));
  r.whole_vm_delete(TaskId(r.new_id()), b);
  Fixture f(r);
  const auto rows = f.reader->vms_per_hour(Scope::tenant("demo"), kStart + hours(5));
  ASSERT_TRUE(rows);
  std::vector<std::int64_t> counts;
  for (const HourCount& row : rows->value) counts.push_back(row.vms);
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 1, 2, 1, 1, 1));
  EXPECT_EQ(rows->value.front().hour, kStart);
  EXPECT_EQ(rows->value.back().hour, kStart + hours(5));
  const auto later = f.reader->vms_per_hour(Scope::tenant("demo"), kStart + hours(100));
  ASSERT_EQ(later->value.size(), 24U);
  EXPECT_EQ(later->value.back().vms, 1);
  EXPECT_EQ(later->value.front().hour, kStart + hours(77));
}

TEST(TaskSeries, CountWhatEndedByOutcomeAndHowLongItWaited) {
  Recorder r;
  for (int i = 0; i < 4; ++i) {
    const TaskId task(r.new_id());
    const VmId vm(r.new_id());
    r.accept_vm_create(task, vm, "a");
    r.wait(std::chrono::seconds(10));
    r.lease_vm_create(task, vm);
    if (i == 0) {
      r.task(task, domain::TaskFailed{});
    } else {
      r.finish_vm_create(task, vm);
    }
  }
  Fixture f(r);
  SeriesQuery query{.series = Series::TasksFinished, .from = kStart, .to = r.now, .now = r.now};
  query.group_by = SeriesGroup::Outcome;
  const auto finished = f.series(query);
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_EQ(finished[0].group, "FAILED");
  EXPECT_EQ(finished[0].value, 1);
  EXPECT_EQ(finished[1].value, 3);
  query.series = Series::TaskWait;
  query.group_by = SeriesGroup::None;
  ASSERT_EQ(f.series(query).size(), 1U);
  EXPECT_DOUBLE_EQ(f.series(query)[0].value, 10);
}

TEST(Days, BeginAtMidnightOfTheZoneAlsoWhereTheyHave23Or25Hours) {
  const auto time = [](const char* text) { return *base::parse_rfc3339(text); };
  const auto berlin = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->day_of(time("2026-03-29T12:00:00Z")), time("2026-03-28T23:00:00Z"));
  EXPECT_EQ(berlin->day_of(time("2026-03-29T22:00:00Z")), time("2026-03-29T22:00:00Z"));
  EXPECT_EQ(TimeZone::find("+05:30")->day_of(time("2026-01-01T20:00:00Z")),
            time("2026-01-01T18:30:00Z"));
  for (const char* bad : {"Europe/Nowhere", "../etc/passwd", "/etc/passwd", "+25:00", "+1", "x"}) {
    EXPECT_FALSE(TimeZone::find(bad)) << bad;
  }
}

TEST(Days, SumTheirHours) {
  Recorder r;
  r.now = kStart + hours(22);
  r.whole_vm_create(TaskId(r.new_id()), VmId(r.new_id()), "a");
  r.wait(hours(4));
  r.whole_vm_create(TaskId(r.new_id()), VmId(r.new_id()), "b");
  Fixture f(r);
  SeriesQuery query{.series = Series::VmsCreated,
                    .step = SeriesStep::Day,
                    .from = kStart,
                    .to = kStart + hours(48),
                    .now = r.now};
  EXPECT_EQ(f.series(query).size(), 2U);
  query.zone = "-08:00";
  const auto west = f.series(query);
  ASSERT_EQ(west.size(), 1U);
  EXPECT_EQ(west[0].value, 2);
}

TEST(Tallies, OfStatesAgreeWithTheRows) {
  const Recorder history = testing::random_history(12, 700);
  testing::TempDir dir;
  ProjectorCore::Options options;
  options.directory = dir.path();
  auto core = std::move(*ProjectorCore::open(options, ""));
  auto batches = history.batches(50);
  batches.resize(batches.size() / 2);
  for (const auto& batch : batches) ASSERT_TRUE(core->apply({&batch, 1}));
  auto reader = std::move(*ReadModels({.directory = dir.path()}).open_reader());
  std::map<std::string, std::int64_t> tasks, vms, queue;
  PageRequest page{.limit = 100000};
  const auto task_page = reader->list_tasks(Scope::admin(), {}, page);
  for (const TaskRow& row : task_page->items) {
    ++tasks[std::string(base::enum_name(row.state))];
    if (!row.terminal() && !row.worker_pool.empty())
      ++queue[std::string(base::enum_name(row.state))];
  }
  const auto vm_page = reader->list_vms(Scope::admin(), {}, page);
  for (const VmRow& row : vm_page->items) {
    ++vms[std::string(base::enum_name(row.state))];
  }
  std::map<std::string, std::int64_t> counted_tasks, counted_vms, counted_queue;
  std::int64_t ready_since = 0;
  for (const auto& [key, n] : core->tallies()) {
    if (key.tally == Tally::TasksByState) counted_tasks[key.a] = n;
    if (key.tally == Tally::VmsByState) counted_vms[key.b] = n;
    if (key.tally == Tally::Queue) counted_queue[key.b] = n;
    if (key.tally == Tally::ReadySince) ready_since += n;
  }
  EXPECT_EQ(counted_tasks, tasks);
  EXPECT_EQ(counted_vms, vms);
  EXPECT_EQ(counted_queue, queue);
  EXPECT_EQ(ready_since, queue["READY"]);
}

}  // namespace
}  // namespace slipway::eventstore
