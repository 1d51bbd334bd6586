#include "tests/simulation/invariants.hpp"

#include <fmt/format.h>

#include "core/domain/record.hpp"

namespace slipway::simulation {

using domain::TaskState;
using domain::VmState;
using workers::simulated::PowerState;
using workers::simulated::VmRow;

void Invariants::follow(const eventstore::EventLog& log) {
  if (log.head().next_seq < world_.next_seq()) {
    violate("durable", fmt::format("the log went back from seq {} to {}", world_.next_seq(),
                                   log.head().next_seq));
  }
  auto cursor = log.read(world_.next_seq());
  if (!cursor) violate("log-readable", cursor.error().message);
  eventstore::Record record;
  for (;;) {
    const auto more = (*cursor)->next(record);
    if (!more) violate("log-readable", more.error().message);
    if (!*more) return;
    auto body = domain::decode_record(record.payload, parser_);
    if (!body) violate("log-readable", body.error().message);
    if (record.seq != world_.next_seq() || body->envelope.seq != record.seq) {
      violate("seq-dense", fmt::format("{} after {}", record.seq, world_.next_seq() - 1));
    }
    on_record(*body);
    world_.evolve(*body);
  }
}

void Invariants::on_record(const domain::RecordBody& record) {
  leases_.on_record(record);
  for (const domain::Event& event : record.events) {
    domain::StreamVersion& version = versions_[event.stream.text()];
    if (event.version != version + 1) {
      violate("versions-dense", fmt::format("{} goes from version {} to {}", event.stream.text(),
                                            version, event.version));
    }
    version = event.version;
    if (tell) {
      tell(fmt::format("log {} {} {}", record.envelope.seq, event.stream.text(),
                       domain::event_type(event.body)));
    }
    on_task(record, event);
    on_vm(event);
  }
}

void Invariants::on_task(const domain::RecordBody& record, const domain::Event& event) {
  using domain::StreamKind;
  const auto kind = event.stream.kind;
  if (kind != StreamKind::Command && kind != StreamKind::Task && kind != StreamKind::Batch) return;
  const domain::TaskId id(event.stream.id);
  TaskTrace& task = tasks_[id];
  const std::string name = event.stream.text();
  if (domain::is_terminal(task.state)) {
    violate("finished-never-changes",
            fmt::format("{} after {}: {}", name, base::enum_name(task.state),
                        domain::event_type(event.body)));
  }
  if (const auto* e = std::get_if<domain::CommandAccepted>(&event.body)) {
    task.command = e->command;
    task.root = id;
    for (const auto& r : e->resources) {
      if (r.kind == StreamKind::Vm) task.vm = domain::VmId(r.id);
      if (r.kind == StreamKind::Image) task.image = domain::ImageId(r.id);
    }
    const auto [first, is_new] = requests_.emplace(record.envelope.request_id, record.envelope.seq);
    const bool asked = !record.envelope.request_id.empty();  // by a client, not by a timer
    if (asked && !is_new && first->second != record.envelope.seq) {
      violate("one-task-per-key",
              fmt::format("request {} was accepted at seq {} and at {}", record.envelope.request_id,
                          first->second, record.envelope.seq));
    }
  }
  if (const auto* e = std::get_if<domain::TaskQueued>(&event.body)) {
    task.max_attempts = e->max_attempts;
    task.deadline = e->deadline;
  }
  if (const auto* e = std::get_if<domain::TaskRedriven>(&event.body)) {
    if (!e->root.is_nil()) task.root = e->root;
  }
  if (std::holds_alternative<domain::TaskCancelRequested>(event.body)) task.cancelled = true;
  if (const auto* e = std::get_if<domain::TaskLeased>(&event.body)) on_lease(task, *e, name);
  if (const auto* e = std::get_if<domain::TaskStepStarted>(&event.body)) {
    if (task.state != TaskState::Running || e->token != task.token) {
      violate("one-live-lease", fmt::format("{}: a step is begun with token {}, the lease has {}",
                                            name, e->token, task.token));
    }
  }
  const auto next = domain::state_after(event.body);
  if (!next) return;
  // BLOCKED follows the READY of TaskQueued in the same record, or itself.
  const TaskState from =
      *next == TaskState::Blocked || kind == StreamKind::Batch
          ? (kind == StreamKind::Batch ? TaskState::Running : TaskState::Accepted)
          : task.state;
  if (from != *next && !domain::may_become(from, *next)) {
    violate("transition-table",
            fmt::format("{} from {} to {}", name, base::enum_name(from), base::enum_name(*next)));
  }
  task.state = *next;
  if (domain::is_terminal(*next)) end(record, task, *next);
}

void Invariants::on_lease(TaskTrace& task, const domain::TaskLeased& e, const std::string& name) {
  if (task.state == TaskState::Running) {
    violate("one-live-lease", fmt::format("{} is leased while it is leased", name));
  }
  if (e.token != task.token + 1) {
    violate("tokens-grow", fmt::format("{}: token {} after {}", name, e.token, task.token));
  }
  task.token = e.token;
  task.attempt = e.attempt;
  // Undoing has as many attempts again.
  const std::uint32_t limit = task.cancelled ? task.max_attempts * 2 : task.max_attempts;
  if (task.attempt > limit) {
    violate("attempts-bounded", fmt::format("{}: attempt {} of {}", name, task.attempt, limit));
  }
}

void Invariants::end(const domain::RecordBody& record, TaskTrace& task, TaskState state) {
  task.state = state;
  if (task.command == domain::CommandKind::VmRename && state != TaskState::Succeeded) {
    uncertain_.insert(task.vm);
  }
  task.ended_at = record.envelope.time;
  task.ended_seq = record.envelope.seq;
}

void Invariants::on_vm(const domain::Event& event) {
  if (event.stream.kind != domain::StreamKind::Vm) return;
  const domain::VmId vm(event.stream.id);
  on_node(event, vm);
  if (std::holds_alternative<domain::VmFailed>(event.body)) uncertain_.insert(vm);
  domain::TaskId task;
  if (const auto* requested = std::get_if<domain::VmRequested>(&event.body)) task = requested->task;
  if (const auto* changed = std::get_if<domain::VmStateChanged>(&event.body)) task = changed->task;
  if (const auto* deleting = std::get_if<domain::VmDeleting>(&event.body)) task = deleting->task;
  if (task.is_nil()) return;
  const domain::TaskId before = std::exchange(at_work_[vm], task);
  if (before.is_nil() || before == task) return;
  if (const auto it = tasks_.find(before);
      it != tasks_.end() && !domain::is_terminal(it->second.state)) {
    violate("one-task-per-vm",
            fmt::format("vm {}: task {} begins while {} is unfinished", base::to_string(vm),
                        base::to_string(task), base::to_string(before)));
  }
}

void Invariants::on_node(const domain::Event& event, const domain::VmId& vm) {
  if (const auto* e = std::get_if<domain::VmRequested>(&event.body); e && e->spec.number) {
    if (!numbers_.emplace(e->spec.backend, *e->spec.number).second) {
      violate("numbers-once", fmt::format("number {} of cloud {} is given twice", *e->spec.number,
                                          e->spec.backend));
    }
  }
  if (const auto* e = std::get_if<domain::VmAssigned>(&event.body)) {
    const bool is_new = assigned_.emplace(vm, e->number).second;
    if (!is_new || e->number <= last_assignment_) {
      violate("assigned-once", fmt::format("assignment {} of vm {} after {}", e->number,
                                           base::to_string(vm), last_assignment_));
    }
    last_assignment_ = e->number;
  }
  const bool released = std::holds_alternative<domain::VmReleased>(event.body);
  if (released || std::holds_alternative<domain::VmDeleted>(event.body)) {
    if (assigned_.erase(vm) == 0 && released) {
      violate("assigned-once", fmt::format("vm {} is released by nobody", base::to_string(vm)));
    }
  }
}

void Invariants::folded_equals(const domain::World& live, std::string_view where) const {
  const std::string mine = world_.dump_for_test();
  const std::string theirs = live.dump_for_test();
  if (mine == theirs) return;
  std::size_t at = 0;
  while (at < mine.size() && at < theirs.size() && mine[at] == theirs[at]) ++at;
  const std::size_t from = mine.rfind('\n', at) == std::string::npos ? 0 : mine.rfind('\n', at) + 1;
  violate("folded-equals-live",
          fmt::format("{}: the log says\n  {}\nthe live state\n  {}", where, mine.substr(from, 700),
                      theirs.substr(std::min(from, theirs.size()), 700)));
}

void Invariants::was_acknowledged(const domain::TaskId& task) const {
  if (!tasks_.contains(task)) {
    violate("durable",
            fmt::format("task {} was answered 202 and is not in the log", base::to_string(task)));
  }
}

void Invariants::answered(const std::string& request, const domain::TaskId& task) {
  const auto [first, is_new] = answers_.emplace(request, task);
  if (!is_new && first->second != task) {
    violate("one-task-per-key", fmt::format("request {} was told task {} and task {}", request,
                                            base::to_string(first->second), base::to_string(task)));
  }
}

void Invariants::ordered(const domain::TaskId& task, domain::FencingToken token,
                         const domain::SessionId& session) {
  const auto [first, is_new] = ordered_.emplace(std::pair(task, token), session);
  if (!is_new && first->second != session) {
    violate("one-live-lease", fmt::format("lease {} of task {} was given to two workers", token,
                                          base::to_string(task)));
  }
}

void Invariants::all_ended(base::Time quiet, domain::Seq quiet_seq, Duration grace) const {
  leases_.all_fired(quiet);
  for (const auto& [id, task] : tasks_) {
    if (!domain::is_terminal(task.state)) {
      const domain::Task* live = world_.task(id);
      violate("every-task-ends",
              fmt::format(
                  "task {} ({}) is {}, attempt {}, token {}, deadline {}, worker '{}'",
                  base::to_string(id), base::enum_name(task.command), base::enum_name(task.state),
                  task.attempt, task.token, base::rfc3339(task.deadline),
                  live == nullptr
                      ? ""
                      : live->worker +
                            fmt::format(" wake {} depends on {}",
                                        live->wake_at ? base::rfc3339(*live->wake_at) : "none",
                                        live->depends_on.size())));
    }
    if (task.ended_seq > quiet_seq && task.max_attempts != 0 &&
        task.ended_at > std::max(task.deadline, quiet) + grace && !domain::is_batch(task.command)) {
      violate("ends-by-its-deadline",
              fmt::format("task {} ended at {}, its deadline was {}, the faults stopped at {}",
                          base::to_string(id), base::rfc3339(task.ended_at),
                          base::rfc3339(task.deadline), base::rfc3339(quiet)));
    }
  }
}

void Invariants::no_double(workers::simulated::Store& cloud) {
  std::map<domain::VmId, std::int64_t> seen;
  cloud.each_vm([&](const VmRow& row) {
    const auto [first, is_new] = seen.emplace(row.vm, row.number);
    if (!is_new) {
      violate("no-vm-made-twice", fmt::format("vm {} is sim-{} and sim-{}", base::to_string(row.vm),
                                              first->second, row.number));
    }
  });
}

namespace {

std::optional<PowerState> power_of(VmState state) {
  switch (state) {
    case VmState::Running:
      return PowerState::Running;
    case VmState::Stopped:
      return PowerState::Stopped;
    case VmState::Paused:
      return PowerState::Paused;
    case VmState::Suspended:
      return PowerState::Suspended;
    default:
      return std::nullopt;
  }
}

}  // namespace

void Invariants::check_vm(const domain::Vm& vm,
                          const std::multimap<domain::VmId, VmRow>& rows) const {
  const std::string name = base::to_string(vm.id);
  const std::size_t count = rows.count(vm.id);
  if (vm.state == VmState::Error) return;  // at most once: no_double has looked
  const auto power = power_of(vm.state);
  if (!power) {
    violate("inventory", fmt::format("vm {} is {} and no task is at work on it", name,
                                     base::enum_name(vm.state)));
  }
  if (count != 1) {
    violate("inventory", fmt::format("vm {} is {} in the log, and the cloud has it {} times", name,
                                     base::enum_name(vm.state), count));
  }
  const VmRow& row = rows.find(vm.id)->second;
  if (row.state != *power) {
    violate("vm-as-the-log-says",
            fmt::format("vm {} is {} in the log and {} in the cloud", name,
                        base::enum_name(vm.state), base::enum_name(row.state)));
  }
  if (uncertain_.contains(vm.id)) return;
  if (row.size != vm.spec.size || row.old_size) {
    violate("vm-as-the-log-says", fmt::format("vm {}: its size in the cloud is another, or not "
                                              "confirmed",
                                              name));
  }
  // A cloud that places by itself does not say where.
  const bool placed = vm.spec.host.empty() || row.host == vm.spec.host;
  if (!placed || row.image != vm.spec.image || row.name != vm.spec.name) {
    violate("vm-as-the-log-says",
            fmt::format("vm {}: host {} image {} name {} in the log; {} {} {} in the cloud", name,
                        vm.spec.host, base::to_string(vm.spec.image), vm.spec.name, row.host,
                        base::to_string(row.image), row.name));
  }
}

void Invariants::ledger(workers::simulated::Store& cloud, const Meddling& meddling) const {
  using workers::simulated::Operation;
  using workers::simulated::Outcome;
  std::map<domain::VmId, int> alive;
  std::int64_t made = 0;  // VMs and images are numbered together
  cloud.each_ledger([&](const workers::simulated::LedgerRow& row) {
    if (row.outcome == Outcome::Done && row.operation == Operation::ImageCreate) ++made;
    const bool create = row.operation == Operation::VmCreate;
    if ((!create && row.operation != Operation::VmDelete) || row.outcome != Outcome::Done) {
      return;
    }
    const auto task = tasks_.find(row.task);
    if (task == tasks_.end()) {
      violate("ledger", fmt::format("task {} called the cloud and is not in the log",
                                    base::to_string(row.task)));
    }
    if (domain::is_orphan_delete(task->second.command)) return;
    int& count = alive[task->second.vm];
    count += create ? 1 : -1;
    made += create ? 1 : 0;
    // One that vanished before its creation was answered may rightly be made again.
    if (meddling.lost.contains(task->second.vm)) return;
    if (count < 0 || count > 1) {
      violate(count > 1 ? "no-vm-made-twice" : "ledger",
              fmt::format("vm {} is there {} times after task {}", base::to_string(task->second.vm),
                          count, base::to_string(row.task)));
    }
  });
  if (made + meddling.added != cloud.totals().last_number) {
    violate("ledger", fmt::format("{} VMs and images were made, the ledger says {}",
                                  cloud.totals().last_number, made));
  }
  cloud.each_vm([&](const VmRow& row) {
    if (!meddling.strangers.contains(row.number)) --alive[row.vm];
  });
  for (const auto& [vm, count] : alive) {
    if (count == 0 || meddling.lost.contains(vm)) continue;
    violate("ledger", fmt::format("vm {} is unaccounted for: {}", base::to_string(vm), count));
  }
}

void Invariants::meddled(workers::simulated::Store& cloud, const Meddling& meddling) const {
  std::set<std::int64_t> numbers;
  std::set<domain::VmId> there;
  cloud.each_vm([&](const VmRow& row) {
    numbers.insert(row.number);
    there.insert(row.vm);
  });
  for (const std::int64_t number : meddling.orphans) {
    if (numbers.contains(number)) {
      violate("orphans-go", fmt::format("sim-{} is nobody's and still there", number));
    }
  }
  for (const std::int64_t number : meddling.strangers) {
    if (!numbers.contains(number)) {
      violate("strangers-stay", fmt::format("sim-{} is not ours, and is gone", number));
    }
  }
  world_.each_vm([&](const domain::Vm& vm) {
    const bool made = !vm.backend_ref.empty() && vm.task.is_nil();
    if (made && vm.lost == there.contains(vm.id)) {
      violate("lost-is-known",
              fmt::format("vm {} is {} in the log, and the cloud has {}", base::to_string(vm.id),
                          vm.lost ? "lost" : base::enum_name(vm.state), vm.lost ? "it" : "none"));
    }
  });
}

void Invariants::inventory(workers::simulated::Store& cloud, const Meddling& meddling) const {
  no_double(cloud);
  std::multimap<domain::VmId, VmRow> rows;
  cloud.each_vm([&](const VmRow& row) {
    if (meddling.strangers.contains(row.number)) return;
    rows.emplace(row.vm, row);
    if (world_.vm(row.vm) == nullptr) {
      violate("inventory",
              fmt::format("sim-{} exists, and the log has deleted vm {} (task {})", row.number,
                          base::to_string(row.vm), base::to_string(row.made_by)));
    }
  });
  world_.each_vm([&](const domain::Vm& vm) {
    if (!vm.lost) check_vm(vm, rows);  // of the lost ones meddled() has looked
  });

  std::map<domain::ImageId, int> images;
  cloud.each_image([&](const auto& row) {
    if (++images[row.image] > 1) {
      violate("no-image-made-twice", fmt::format("image {}", base::to_string(row.image)));
    }
    if (world_.image(row.image) == nullptr) {
      violate("inventory",
              fmt::format("simimg-{} exists, and the log has no image {} (task {})", row.number,
                          base::to_string(row.image), base::to_string(row.made_by)));
    }
  });
  std::map<std::pair<std::int64_t, std::string>, int> snapshots;
  cloud.each_snapshot([&](const auto& row) { ++snapshots[{row.vm, row.snapshot.name}]; });
  world_.each_vm([&](const domain::Vm& vm) {
    const auto row = rows.find(vm.id);
    if (row == rows.end() || vm.state == VmState::Error || uncertain_.contains(vm.id)) return;
    for (const auto& s : vm.snapshots) snapshots[{row->second.number, s.name}] += 2;
    for (const auto& [at, n] : snapshots) {
      if (at.first != row->second.number || n == 3) continue;
      if (n == 2) continue;  // a deletion that ended badly may have taken it
      violate("inventory",
              fmt::format("snapshot sim-{}/{} is not in the log", at.first, at.second));
    }
  });
}

}  // namespace slipway::simulation
