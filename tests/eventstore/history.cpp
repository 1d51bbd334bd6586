#include "history.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace slipway::eventstore::testing {

using domain::CommandKind;
using domain::TaskState;
using domain::VmState;

void Recorder::record(Events events) {
  domain::RecordBody record;
  record.envelope.seq = next_seq_;
  record.envelope.time = now;
  record.envelope.tenant = tenant;
  record.envelope.actor = tenant + "-user";
  record.envelope.dialect = dialect;
  record.envelope.request_id = "req-1";
  for (auto& [stream, body] : events) {
    record.events.push_back({stream, ++versions_[stream.text()], std::move(body)});
  }
  next_seq_ += record.events.size();
  records_.push_back(std::move(record));
}

base::Uuid Recorder::new_id() {
  std::array<std::uint8_t, 10> tail{};
  std::uint64_t n = ++ids_;
  for (std::size_t i = 10; i-- > 2; n >>= 8U) tail[i] = static_cast<std::uint8_t>(n);
  return base::make_uuid7(now, tail);
}

Recorder::Events Recorder::accepted_vm_create(const TaskId& task, const VmId& vm,
                                              const std::string& name, const TaskId& parent,
                                              std::uint32_t index) {
  domain::CommandAccepted accepted;
  accepted.command = CommandKind::VmCreate;
  accepted.args.text = fmt::format(
      R"({{"name":"{}","flavor":"m1.nano","image":"cirros","network":"private","labels":{{"team":"web"}}}})",
      name);
  accepted.resources = {{StreamKind::Vm, vm, name}};
  domain::TaskQueued queued;
  queued.command = CommandKind::VmCreate;
  queued.worker_pool = "default";
  queued.backend = "simulated";
  queued.deadline = now + std::chrono::hours(24);
  queued.parent = parent;
  queued.index = index;
  domain::VmRequested requested;
  requested.task = task;
  requested.spec.name = name;
  requested.spec.project = tenant;
  requested.spec.size = {"m1.nano", 1, 64, 1};
  requested.spec.backend = "simulated";
  requested.spec.host = fmt::format("host-{}", vm.bytes[15] % 8);
  requested.spec.ipv4 = 0x0A000001U + vm.bytes[15];
  requested.spec.image = domain::ImageId(base::Uuid{{1}});
  requested.spec.network = domain::NetworkId(base::Uuid{{2}});
  if (vm.bytes[15] % 4 == 0) requested.spec.labels = {{"team", "web"}};
  if (vm.bytes[15] % 4 == 1) requested.spec.address_pool = "lan";
  return {{StreamId(StreamKind::Command, task), accepted},
          {StreamId(StreamKind::Task, task), queued},
          {StreamId(StreamKind::Vm, vm), requested}};
}

void Recorder::lease_vm_create(const TaskId& task, const VmId& vm, std::uint32_t attempt) {
  domain::TaskLeased leased;
  leased.attempt = attempt;
  leased.token = attempt;
  leased.worker = "worker-1";
  domain::TaskStepStarted started;
  started.step = "vm.create";
  started.token = attempt;
  started.call_deadline = now + std::chrono::minutes(1);
  record({{StreamId(StreamKind::Task, task), leased},
          {StreamId(StreamKind::Vm, vm), domain::VmLaunching{}},
          {StreamId(StreamKind::Task, task), started}});
}

void Recorder::finish_vm_create(const TaskId& task, const VmId& vm) {
  domain::TaskStepDone done;
  done.step = "vm.create";
  done.backend_ref = fmt::format("ref-{}", ids_);
  domain::TaskSucceeded succeeded;
  succeeded.result.text = fmt::format(R"({{"vm":"{}"}})", base::to_string(vm));
  record({{StreamId(StreamKind::Task, task), done},
          {StreamId(StreamKind::Vm, vm), domain::VmLaunched{done.backend_ref}},
          {StreamId(StreamKind::Task, task), domain::TaskStepDone{"vm.await_running", {}, {}, {}}},
          {StreamId(StreamKind::Task, task), succeeded}});
}

void Recorder::whole_vm_create(const TaskId& task, const VmId& vm, const std::string& name) {
  accept_vm_create(task, vm, name);
  lease_vm_create(task, vm);
  finish_vm_create(task, vm);
}

void Recorder::accept(const TaskId& task, CommandKind command, const VmId& vm,
                      domain::EventBody vm_event) {
  domain::CommandAccepted accepted;
  accepted.command = command;
  accepted.args.text = "{}";
  accepted.resources = {{StreamKind::Vm, vm, {}}};
  domain::TaskQueued queued;
  queued.command = command;
  queued.worker_pool = "default";
  queued.backend = "simulated";
  record({{StreamId(StreamKind::Command, task), accepted},
          {StreamId(StreamKind::Task, task), queued},
          {StreamId(StreamKind::Vm, vm), std::move(vm_event)}});
}

void Recorder::whole_vm_delete(const TaskId& id, const VmId& vm) {
  accept(id, CommandKind::VmDelete, vm, domain::VmDeleting{id});
  task(id, domain::TaskLeased{1, 1, "worker-1", {}, {}});
  record({{StreamId(StreamKind::Vm, vm), domain::VmDeleted{}},
          {StreamId(StreamKind::Task, id), domain::TaskSucceeded{}}});
}

CommittedBatchPtr make_batch(std::vector<domain::RecordBody> records) {
  auto batch = std::make_shared<CommittedBatch>();
  batch->first_seq = records.front().envelope.seq;
  batch->next_seq = records.back().envelope.seq + records.back().events.size();
  batch->records = std::move(records);
  return batch;
}

std::vector<CommittedBatchPtr> Recorder::batches(std::size_t events_per_batch,
                                                 domain::Seq from) const {
  std::vector<CommittedBatchPtr> out;
  std::vector<domain::RecordBody> records;
  std::size_t events = 0;
  for (const domain::RecordBody& record : records_) {
    if (record.envelope.seq < from) continue;
    records.push_back(record);
    events += record.events.size();
    if (events < events_per_batch) continue;
    out.push_back(make_batch(std::exchange(records, {})));
    events = 0;
  }
  if (!records.empty()) out.push_back(make_batch(std::move(records)));
  return out;
}

CommittedBatchPtr Recorder::take() {
  std::vector<domain::RecordBody> records(records_.begin() + static_cast<std::ptrdiff_t>(taken_),
                                          records_.end());
  taken_ = records_.size();
  return make_batch(std::move(records));
}

std::vector<CommittedBatchPtr> through_the_log(const std::vector<CommittedBatchPtr>& batches) {
  base::JsonWriter scratch;
  base::JsonParser parser;
  std::vector<CommittedBatchPtr> out;
  for (const CommittedBatchPtr& batch : batches) {
    std::vector<domain::RecordBody> records;
    for (const domain::RecordBody& record : batch->records) {
      std::string json;
      domain::encode_record(record, scratch, json);
      auto decoded = domain::decode_record(json, parser);
      if (!decoded) throw std::runtime_error(decoded.error().message);
      records.push_back(std::move(*decoded));
    }
    out.push_back(make_batch(std::move(records)));
  }
  return out;
}

namespace {

// The random mixture: a crowd of lives, of which one takes its next step at a time.
class Crowd {
 public:
  Crowd(std::uint64_t seed, Recorder& recorder) : random_(seed), r_(recorder) {}

  void catalog() {
    const auto named = [](StreamKind kind, std::string_view name) { return StreamId(kind, name); };
    r_.record({{named(StreamKind::Backend, "simulated"),
                domain::BackendRegistered{{"simulated", "simulated", "default", true}}}});
    for (const char* tenant : {"demo", "other", "third"}) {
      domain::Project project;
      project.id = domain::ProjectId(r_.new_id());
      project.name = tenant;
      r_.record({{named(StreamKind::Project, tenant), domain::ProjectCreated{project}}});
      domain::User user{r_.new_id(), std::string(tenant) + "-user", tenant, domain::Role::Operator,
                        "secret-1"};
      r_.record({{named(StreamKind::User, user.name), domain::UserCreated{user}}});
      domain::AccessToken token;
      token.id = domain::TokenId(r_.new_id());
      token.tenant = tenant;
      token.sha256_hex = base::to_string(token.id);
      r_.record({{StreamId(StreamKind::Token, token.id), domain::TokenCreated{token}}});
    }
    r_.record({{named(StreamKind::Flavor, "m1.nano"),
                domain::FlavorDefined{{"m1.nano", "m1.nano", 1, 64, 1, 0, 0, true}}}});
    for (int i = 0; i < 8; ++i) {
      domain::Host host;
      host.name = fmt::format("host-{}", i);
      host.vcpus = 64;
      r_.record({{named(StreamKind::Host, host.name), domain::HostAttached{host}}});
    }
  }

  void run(std::size_t tasks) {
    std::size_t started = 0;
    while (started < tasks || !lives_.empty()) {
      r_.wait(std::chrono::milliseconds(below(20000)));
      if (below(500) == 0) r_.wait(std::chrono::hours(below(9)));      // hours without events
      if (below(400) == 0) r_.wait(-std::chrono::minutes(below(90)));  // the clock is set back
      if (started < tasks && (lives_.size() < 5 || below(3) == 0)) {
        r_.tenant = kTenants[below(3)];
        r_.dialect = static_cast<domain::Dialect>(below(6));
        begin();
        ++started;
      } else {
        const std::size_t at = below(lives_.size());
        r_.tenant = lives_[at].tenant;
        if (advance(lives_[at])) lives_.erase(lives_.begin() + static_cast<std::ptrdiff_t>(at));
      }
      if (below(50) == 0) people();
      if (below(20) == 0) house();
    }
  }

 private:
  struct Life {
    std::string tenant;
    TaskId task;
    VmId vm;
    CommandKind command{};
    std::uint32_t attempt = 0;
    enum { Queued, Leased, Waiting } at = Queued;
    TaskId batch;
    std::uint32_t index = 0;
  };
  static constexpr const char* kTenants[] = {"demo", "other", "third"};

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void begin() {
    if (below(10) == 0) return begin_batch();
    Life life{r_.tenant, TaskId(r_.new_id()), {}, CommandKind::VmCreate, 0, Life::Queued, {}, 0};
    if (!idle_.empty() && below(2) == 0) {
      const std::size_t at = below(idle_.size());
      life.vm = idle_[at].second;
      life.tenant = r_.tenant = idle_[at].first;
      idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(at));
      begin_on_vm(life);
    } else {
      life.vm = VmId(r_.new_id());
      r_.accept_vm_create(life.task, life.vm, fmt::format("vm-{}", below(50)));
    }
    lives_.push_back(life);
  }

  void begin_on_vm(Life& life) {
    switch (below(5)) {
      case 0:
        life.command = CommandKind::VmDelete;
        return r_.accept(life.task, life.command, life.vm, domain::VmDeleting{life.task});
      case 1:
        life.command = CommandKind::VmStop;
        return r_.accept(life.task, life.command, life.vm,
                         domain::VmStateChanged{VmState::Stopping, life.task});
      case 2:
        life.command = CommandKind::VmResize;
        return r_.accept(life.task, life.command, life.vm,
                         domain::VmStateChanged{VmState::Resizing, life.task});
      case 3:
        life.command = CommandKind::VmMigrate;
        return r_.accept(life.task, life.command, life.vm,
                         domain::VmStateChanged{VmState::Migrating, life.task});
      default:
        life.command = CommandKind::VmSnapshotCreate;
        return r_.accept(life.task, life.command, life.vm,
                         domain::VmStateChanged{VmState::Snapshotting, life.task});
    }
  }

  void begin_batch() {
    const TaskId batch(r_.new_id());
    const auto total = static_cast<std::uint32_t>(1 + below(6));
    domain::TaskQueued queued;
    queued.command = CommandKind::BatchVmCreate;
    queued.max_attempts = 1;
    Recorder::Events events{
        {StreamId(StreamKind::Command, batch),
         domain::CommandAccepted{CommandKind::BatchVmCreate, {R"({"count":3})"}, {}}},
        {StreamId(StreamKind::Task, batch), queued},
        {StreamId(StreamKind::Batch, batch),
         domain::BatchOpened{CommandKind::BatchVmCreate, total}}};
    for (std::uint32_t i = 0; i < total; ++i) {
      Life life{r_.tenant,
                TaskId(r_.new_id()),
                VmId(r_.new_id()),
                CommandKind::VmCreate,
                0,
                Life::Queued,
                batch,
                i};
      for (auto& e : r_.accepted_vm_create(life.task, life.vm, fmt::format("b-{}", i), batch, i)) {
        events.push_back(std::move(e));
      }
      lives_.push_back(life);
    }
    open_[batch] = {total, 0, 0};
    r_.record(std::move(events));
  }

  // True at the end of the life.
  bool advance(Life& life) {
    if (life.at == Life::Waiting) {
      r_.task(life.task, domain::TaskReady{"retry", false, {}});
      life.at = Life::Queued;
      return false;
    }
    if (life.at == Life::Queued) {
      if (below(20) == 0) return end_badly(life, domain::TaskCancelled{}, TaskState::Cancelled);
      if (below(30) == 0) r_.task(life.task, domain::TaskPriorityChanged{7});
      ++life.attempt;
      if (life.command == CommandKind::VmCreate) {
        r_.lease_vm_create(life.task, life.vm, life.attempt);
      } else {
        r_.task(life.task, domain::TaskLeased{life.attempt, life.attempt, "worker-2", {}, {}});
      }
      life.at = Life::Leased;
      return false;
    }
    return end_of_attempt(life);
  }

  bool end_of_attempt(Life& life) {
    domain::TaskError error{"backend-unavailable", "no \"answer\"\n", "simulated", "",
                            "vm.create",           life.attempt,      true};
    switch (below(12)) {
      case 0:
      case 1:
        r_.task(life.task, domain::TaskRetryScheduled{
                               error, r_.now + std::chrono::seconds(3), below(2) == 0, false, {}});
        life.at = Life::Waiting;
        return false;
      case 2:
        r_.task(life.task, domain::TaskReady{"handed-back", true, {"vm.create"}});
        life.at = Life::Queued;
        return false;
      case 3:
        return end_badly(life, domain::TaskFailed{error}, TaskState::Failed);
      case 4:
        return end_badly(life, domain::TaskDead{error}, TaskState::Dead);
      case 5:
        r_.task(life.task, domain::TaskProgressed{static_cast<std::uint32_t>(below(100)),
                                                  "vm.create", "half way"});
        return false;
      default:
        return end_well(life);
    }
  }

  bool end_well(Life& life) {
    if (life.command == CommandKind::VmCreate) {
      r_.finish_vm_create(life.task, life.vm);
    } else {
      domain::TaskSucceeded succeeded;
      succeeded.result.text = R"({ "n": 1.50, "text": "tab\t\u00e9" })";  // not minified
      Recorder::Events events = vm_outcome(life);
      events.push_back({StreamId(StreamKind::Task, life.task), succeeded});
      r_.record(std::move(events));
    }
    if (life.command != CommandKind::VmDelete) idle_.emplace_back(life.tenant, life.vm);
    return item_ended(life, TaskState::Succeeded);
  }

  Recorder::Events vm_outcome(const Life& life) {
    const StreamId vm(StreamKind::Vm, life.vm);
    switch (life.command) {
      case CommandKind::VmDelete:
        return {{vm, domain::VmDeleted{}}};
      case CommandKind::VmStop:
        return {{vm, domain::VmStateChanged{VmState::Stopped, {}}}};
      case CommandKind::VmResize:
        return {{vm, domain::VmResized{{"m1.tiny", 2, 512, 1}}},
                {vm, domain::VmStateChanged{VmState::Running, {}}}};
      case CommandKind::VmMigrate:
        return {{vm, domain::VmMigrated{fmt::format("host-{}", below(8))}},
                {vm, domain::VmStateChanged{VmState::Running, {}}}};
      default:
        return {{vm, domain::SnapshotCreated{{fmt::format("s{}", below(3)), "", "", false, false,
                                              r_.now}}},
                {vm, domain::VmStateChanged{VmState::Running, {}}}};
    }
  }

  bool end_badly(Life& life, domain::EventBody event, TaskState state) {
    r_.record({{StreamId(StreamKind::Task, life.task), std::move(event)},
               {StreamId(StreamKind::Vm, life.vm), domain::VmFailed{"it did not work"}}});
    idle_.emplace_back(life.tenant, life.vm);
    return item_ended(life, state);
  }

  bool item_ended(const Life& life, TaskState state) {
    if (life.batch.is_nil()) return true;
    const StreamId batch(StreamKind::Batch, life.batch);
    auto& [total, ended, bad] = open_[life.batch];
    if (state == TaskState::Succeeded) {
      r_.record({{batch, domain::BatchItemSucceeded{life.task, life.index}}});
    } else {
      r_.record({{batch, domain::BatchItemFailed{life.task, life.index, state}}});
      ++bad;
    }
    if (++ended < total) return true;
    const TaskState end = bad == 0       ? TaskState::Succeeded
                          : bad == total ? TaskState::Failed
                                         : TaskState::Partial;
    r_.record({{batch, domain::BatchClosed{end}}});
    return true;
  }

  void people() {
    const std::string name = fmt::format("user-{}", below(5));
    const StreamId stream(StreamKind::User, name);
    if (below(2) == 0) {
      r_.record({{stream, domain::UserCreated{
                              {r_.new_id(), name, "demo", domain::Role::Viewer, "secret-2"}}}});
    } else {
      r_.record({{stream, domain::UserDeleted{}}});
    }
  }

  // Pools, addresses, groups, sessions and notes that come, change and go.
  void house() {
    const std::string name = fmt::format("thing-{}", below(3));
    const auto at = [&](StreamKind kind) { return StreamId(kind, name); };
    switch (below(12)) {
      case 0:
        return r_.record({{at(StreamKind::Pool), domain::PoolCreated{{name}}}});
      case 1:
        return r_.record({{at(StreamKind::Pool), domain::PoolDeleted{}}});
      case 2:
        return r_.record({{at(StreamKind::AddressPool), domain::AddressPoolCreated{{name}}}});
      case 3:
        return r_.record({{at(StreamKind::AddressPool), domain::AddressRangeAdded{{}}}});
      case 4:
        return r_.record({{at(StreamKind::StoragePool), domain::StoragePoolCreated{{name}}}});
      case 5:
        return r_.record({{StreamId(StreamKind::Host, "host-1"), domain::HostDetached{}}});
      case 6:
        return r_.record({{StreamId(StreamKind::Host, "host-1"), domain::HostDisabled{}}});
      case 7:
        return r_.record({{at(StreamKind::Group), domain::GroupCreated{{name}}},
                          {at(StreamKind::Role), domain::RoleCreated{{name}}}});
      case 8:
        return r_.record({{at(StreamKind::Group), domain::GroupMemberAdded{"user-1"}}});
      case 9: {
        const domain::LoginId id(r_.new_id());
        r_.record({{StreamId(StreamKind::Session, id),
                    domain::SessionOpened{{id, "user-1", name, base::to_string(id)}}}});
        if (below(2) == 0) return;
        return r_.record({{StreamId(StreamKind::Session, id), domain::SessionClosed{}}});
      }
      case 10:
        return r_.record({{StreamId(StreamKind::Audit, "demo"), domain::AuditNoted{"note", ""}}});
      default:
        return r_.record(
            {{StreamId(StreamKind::Audit, "demo"), domain::AuditHidden{{below(5000)}}}});
    }
  }

  std::mt19937_64 random_;
  Recorder& r_;
  std::vector<Life> lives_;
  std::vector<std::pair<std::string, VmId>> idle_;
  std::map<TaskId, std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> open_;
};

}  // namespace

Recorder random_history(std::uint64_t seed, std::size_t tasks) {
  Recorder recorder;
  Crowd crowd(seed, recorder);
  crowd.catalog();
  crowd.run(tasks);
  return recorder;
}

}  // namespace slipway::eventstore::testing
