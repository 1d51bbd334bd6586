#pragma once
// A small cloud for tests of the SQL dialect: the demo's catalog, two tenants with VMs, their log
// and read models, and an Engine on them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/domain/demo_catalog.hpp"
#include "eventstore/memory_log.hpp"
#include "eventstore/projector_core.hpp"
#include "eventstore/sql/engine.hpp"
#include "history.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore::sql::testing {

using eventstore::testing::Recorder;
using Rows = std::vector<std::vector<std::string>>;

// As a reader would write it down: NULL, 42, 2.5, text.
inline std::string shown(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "NULL";
}

class SqlCloud {
 public:
  explicit SqlCloud(Limits limits = {}) : limits_(limits) {
    auto opened = ProjectorCore::open({.directory = dir_.path()}, "log");
    EXPECT_TRUE(opened);
    core_ = std::move(*opened);
    add_catalog();
    add_vms("demo", {"web-1", "web-2", "db-1"});
    add_vms("admin", {"secret-1", "secret-2"});
    add_lease("demo", "lease-1", {"sim-host-1", "sim-host-2"});
    add_lease("admin", "secret-1-lease", {"sim-host-3"});
    follow();
  }

  // Made by whole tasks; the first two of each tenant have a label.
  void add_vms(const std::string& tenant, const std::vector<std::string>& names) {
    recorder.tenant = tenant;
    for (const std::string& name : names) {
      const domain::TaskId task(recorder.new_id());
      const domain::VmId vm(recorder.new_id());
      recorder.wait(std::chrono::seconds(1));
      recorder.whole_vm_create(task, vm, name);
      vms[name] = base::to_string(vm);
      tasks[name] = base::to_string(task);
    }
    recorder.tenant = "demo";
  }
  // From an hour on, for a day; ACTIVE if `started`.
  void add_lease(const std::string& tenant, const std::string& name,
                 const std::vector<std::string>& hosts, bool started = false) {
    recorder.tenant = tenant;
    const domain::StreamId stream(domain::StreamKind::Lease, domain::LeaseId(recorder.new_id()));
    domain::LeaseCreated created;
    created.name = name;
    created.user = tenant;
    created.start = recorder.now + std::chrono::hours(1);
    created.end = created.start + std::chrono::hours(24);
    domain::ReservationSpec& spec = created.reservations.emplace_back();
    spec.id = domain::ReservationId(recorder.new_id());
    spec.number = 1;
    spec.resource_properties = R"(["==", "$rack", "r7"])";
    recorder.record({{stream, created}, {stream, domain::ReservationAllocated{spec.id, hosts}}});
    if (started)
      recorder.record({{stream, domain::LeaseStarting{}}, {stream, domain::LeaseStarted{}}});
    leases[name] = base::to_string(stream.id);
    recorder.tenant = "demo";
  }
  // Into the log and the read models.
  void follow() {
    const CommittedBatchPtr batch = recorder.take();
    LogBatch records;
    base::JsonWriter scratch;
    for (const domain::RecordBody& record : batch->records) {
      auto& out = records.records.emplace_back();
      out.seq = record.envelope.seq;
      out.event_count = static_cast<std::uint32_t>(record.events.size());
      domain::encode_record(record, scratch, out.payload);
      std::set<std::string> keys;
      for (const domain::Event& event : record.events) keys.insert(event.stream.index_key());
      out.index_keys.assign(keys.begin(), keys.end());
    }
    EXPECT_TRUE(log.append(records));
    const auto status = core_->apply(std::vector{batch});
    EXPECT_TRUE(status) << status.error().message;
  }

  Engine& engine() {
    if (!engine_) {
      engine_ = std::make_unique<Engine>(models_, log, limits_, &past_);
    }
    return *engine_;
  }

  const ReadModels& models() const { return models_; }

  // One text as tenant demo, unless told otherwise.
  std::vector<StatementResult> all(std::string text, Placeholders placeholders = {},
                                   const Scope& scope = Scope::tenant("demo")) {
    const Query query{std::move(text), std::move(placeholders)};
    auto answer = engine().run(scope, std::span(&query, 1));
    EXPECT_TRUE(answer) << answer.error().message << " " << engine().last_refusal();
    return answer ? std::move(answer->results) : std::vector<StatementResult>();
  }
  StatementResult one(std::string text, Placeholders placeholders = {},
                      const Scope& scope = Scope::tenant("demo")) {
    auto results = all(text, std::move(placeholders), scope);
    EXPECT_EQ(results.size(), 1U) << text;
    return results.empty() ? StatementResult() : std::move(results.front());
  }
  Rows rows(std::string text, Placeholders placeholders = {},
            const Scope& scope = Scope::tenant("demo")) {
    const StatementResult result = one(text, std::move(placeholders), scope);
    EXPECT_EQ(result.outcome, Outcome::Success)
        << text << ": " << result.message << " " << engine().last_refusal();
    Rows out;
    for (const auto& row : result.rows) {
      auto& texts = out.emplace_back();
      for (const Value& value : row) texts.push_back(shown(value));
    }
    return out;
  }
  // The one value of "select <expression>".
  std::string value(const std::string& expression, Placeholders placeholders = {}) {
    const Rows found = rows("select " + expression, std::move(placeholders));
    return found.size() == 1 && found[0].size() == 1 ? found[0][0] : "no value";
  }
  std::string syntax_error(const std::string& text) {
    const StatementResult result = one(text);
    EXPECT_EQ(result.outcome, Outcome::SyntaxError) << text;
    return result.message;
  }
  std::string evaluation_error(const std::string& text) {
    const StatementResult result = one(text);
    EXPECT_EQ(result.outcome, Outcome::EvaluationError) << text;
    EXPECT_TRUE(result.rows.empty());
    return result.message;
  }
  // The request as a whole is refused with this.
  std::string refusal(std::string text) {
    const Query query{std::move(text), {}};
    const auto answer = engine().run(Scope::tenant("demo"), std::span(&query, 1));
    EXPECT_FALSE(answer);
    if (answer) return "";
    EXPECT_EQ(answer.error().code, base::Errc::InvalidArgument);
    return answer.error().message;
  }

  Recorder recorder;
  MemoryLog log;
  std::map<std::string, std::string> vms;  // ids by name
  std::map<std::string, std::string> leases;
  std::map<std::string, std::string> tasks;  // of their creation

 private:
  void add_catalog() {
    using domain::StreamId;
    using domain::StreamKind;
    const domain::InitializeSystem all = domain::demo_catalog("test", true);
    for (const auto& b : all.backends) {
      recorder.record({{StreamId(StreamKind::Backend, b.name), domain::BackendRegistered{b}}});
    }
    for (const auto& h : all.hosts) {
      recorder.record({{StreamId(StreamKind::Host, h.name), domain::HostAttached{h}}});
    }
    for (const auto& f : all.flavors) {
      recorder.record({{StreamId(StreamKind::Flavor, f.id), domain::FlavorDefined{f}}});
    }
    for (const auto& i : all.images) {
      recorder.record({{StreamId(StreamKind::Image, i.id), domain::ImageRegistered{i}}});
    }
    for (const auto& n : all.networks) {
      recorder.record({{StreamId(StreamKind::Network, n.id), domain::NetworkDefined{n}}});
    }
    for (const auto& p : all.projects) {
      recorder.record({{StreamId(StreamKind::Project, p.name), domain::ProjectCreated{p}}});
    }
  }

  eventstore::testing::TempDir dir_;
  const Limits limits_;
  std::unique_ptr<ProjectorCore> core_;
  ReadModels models_{{.directory = dir_.path()}};
  PastModels past_{models_, log};
  std::unique_ptr<Engine> engine_;
};

}  // namespace slipway::eventstore::sql::testing
