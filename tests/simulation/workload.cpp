#include "tests/simulation/workload.hpp"

#include <fmt/format.h>

#include "tests/simulation/simulator.hpp"

namespace slipway::simulation {

using namespace domain;                // NOLINT: tests
using namespace std::chrono_literals;  // NOLINT: tests

namespace {

class SimReply final : public eventstore::Reply {
 public:
  SimReply(Simulator& sim, Workload& clients, std::string request, std::string name)
      : sim_(sim), clients_(clients), request_(std::move(request)), name_(std::move(name)) {}

  eventstore::Answer render(const eventstore::Accepted& accepted) override {
    eventstore::Answer answer;
    answer.task = accepted.command.task;
    answer.body = base::to_string(accepted.command.task);
    return answer;
  }
  // From here on the client may know it, and it must be durable. Whether it hears of it is luck.
  void send(eventstore::Answer&& answer, bool replayed) override {
    const TaskId task = answer.task;
    sim_.trace("answer {} {} task {}", name_, replayed ? "again" : "202", base::to_string(task));
    if (!request_.empty()) sim_.invariants.answered(request_, task);
    if (!sim_.calm && sim_.random.chance(0.1)) return;
    sim_.timeline.after(sim_.random.between(1ms, 50ms),
                        [&c = clients_, name = name_, task] { c.told(name, task); });
  }
  void refuse(const base::Error& error) override {
    sim_.trace("refuse {}: {} {}", name_, base::errc_name(error.code), error.message);
    sim_.timeline.after(1ms, [&c = clients_, name = name_] { c.refused(name); });
  }

 private:
  Simulator& sim_;
  Workload& clients_;
  const std::string request_;
  const std::string name_;
};

const std::vector<CommandKind> kActions = {CommandKind::VmDelete,
                                           CommandKind::VmStart,
                                           CommandKind::VmStop,
                                           CommandKind::VmReboot,
                                           CommandKind::VmPause,
                                           CommandKind::VmUnpause,
                                           CommandKind::VmSuspend,
                                           CommandKind::VmResume,
                                           CommandKind::VmResize,
                                           CommandKind::VmRebuild,
                                           CommandKind::VmRename,
                                           CommandKind::VmMigrate,
                                           CommandKind::VmSnapshotCreate,
                                           CommandKind::VmSnapshotRestore,
                                           CommandKind::VmSnapshotDelete,
                                           CommandKind::ImageCapture,
                                           CommandKind::VmDelete,
                                           CommandKind::VmStart,
                                           CommandKind::VmStop};

}  // namespace

InitializeSystem Workload::cloud() {
  InitializeSystem c;
  c.version = "simulation";
  c.backends = {{"simulated", "simulated", "default", true, ""},
                {kNumbered, "simulated", "default", false, "dummy"}};
  for (int i = 1; i <= 4 + LeaseWorkload::kHosts; ++i) {
    Host h;
    h.name = fmt::format("sim-{}", i);
    h.backend = "simulated";
    h.pool = "default";
    h.vcpus = 64;
    h.memory_mb = 131072;
    h.disk_gb = 4000;
    c.hosts.push_back(h);
  }
  c.flavors = {{"1", "small", 1, 1024, 10, 0, 0, true}, {"2", "large", 4, 8192, 40, 0, 0, true}};
  for (std::uint8_t i = 1; i <= 2; ++i) {
    Image image;
    image.id.bytes[15] = i;
    image.name = fmt::format("image-{}", i);
    image.is_public = true;
    image.backend = "simulated";
    c.images.push_back(image);
  }
  Network net;
  net.id.bytes[15] = 9;
  net.name = "net";
  net.shared = true;
  net.first_ipv4 = 0x0A000001;
  net.last_ipv4 = 0x0A0000C8;
  c.networks = {net};
  Project demo;
  demo.name = "demo";
  demo.quota.vms = 120;
  c.projects = {demo};
  return c;
}

base::Time Workload::now() const { return sim_.server.clock.now(); }

void Workload::begin() {
  Request first;
  first.command.body = cloud();
  first.command.caller.actor = "demo";
  first.keyed = true;
  fresh_ids(first.command);
  requests_["init"] = first;
  send("init");
  sim_.timeline.after(1s, [this] { ask_again(); });
}

void Workload::ask_again() {
  if (sim_.calm) return;
  ask();
  // In bursts: many in one batch, then a pause.
  const bool burst = sim_.random.chance(0.7);
  sim_.timeline.after(burst ? sim_.random.between(0s, 40ms) : sim_.random.between(0s, 8s),
                      [this] { ask_again(); });
}

void Workload::ask() {
  if (!sim_.invariants.world().initialized()) return;
  const std::string name = fmt::format("req-{}", ++count_);
  Request r;
  r.command = make();
  r.keyed = sim_.random.chance(0.6);
  r.command.caller.request_id = name;
  requests_[name] = std::move(r);
  send(name);
  // Impatient clients send the same twice.
  if (requests_[name].keyed && sim_.random.chance(0.1)) send(name);
}

void Workload::send(const std::string& name) {
  Request& r = requests_[name];
  if (r.done || (r.tries > 0 && !r.keyed) || r.tries > 30) return;
  ++r.tries;
  if (r.tries > 1) fresh_ids(r.command);
  remember(r.command);
  auto submission = std::make_unique<eventstore::Submission>();
  submission->command = r.command;
  submission->command.caller.request_id = name;
  if (r.keyed) submission->idempotency = {name, name};
  submission->reply = std::make_unique<SimReply>(sim_, *this, r.keyed ? name : "", name);
  sim_.trace("submit {} {} task {}", name, base::enum_name(kind_of(r.command.body)),
             base::to_string(r.command.task));
  const bool lost = !sim_.calm && sim_.random.chance(0.03);
  if (!lost) sim_.server.submit(std::move(submission));
  if (r.keyed) {
    sim_.timeline.after(sim_.random.between(1s, 20s), [this, name] { send(name); });
  }
}

void Workload::told(const std::string& name, const TaskId& task) {
  Request& r = requests_[name];
  r.done = true;
  if (!sim_.invariants.tasks().contains(task)) return;
  tasks_.push_back(task);
  const auto& trace = sim_.invariants.tasks().at(task);
  if (!trace.vm.is_nil()) vms_.push_back(trace.vm);
  if (!trace.image.is_nil()) images_.push_back(trace.image);
  if (const auto* batch = std::get_if<OpenBatch>(&r.command.body)) {
    for (const BatchItem& item : batch->items) {
      const auto it = sim_.invariants.tasks().find(item.task);
      if (it == sim_.invariants.tasks().end()) continue;
      tasks_.push_back(item.task);
      if (!it->second.vm.is_nil()) vms_.push_back(it->second.vm);
    }
  }
}

void Workload::refused(const std::string& name) { requests_[name].done = true; }

VmId Workload::any_vm() { return vms_.empty() ? VmId() : sim_.random.pick(vms_); }
TaskId Workload::any_task() {
  if (tasks_.empty()) return TaskId();
  // Mostly young ones.
  if (sim_.random.chance(0.7) && tasks_.size() > 10) {
    return tasks_[tasks_.size() - 1 - static_cast<std::size_t>(sim_.random.below(10))];
  }
  return sim_.random.pick(tasks_);
}

Command Workload::make() {
  Command c;
  c.caller.tenant = "demo";
  c.caller.actor = "demo";
  c.caller.role = Role::Operator;
  c.body = make_body();
  add_options(c);
  fresh_ids(c);
  return c;
}

CreateVm Workload::make_create() {
  CreateVm c;
  c.name = fmt::format("vm-{}", count_);
  c.flavor = sim_.random.chance(0.7) ? "small" : "large";
  c.image = sim_.random.chance(0.5) ? "image-1" : "image-2";
  if (sim_.random.chance(0.2)) {
    c.backend = kNumbered;
    c.flavor = c.flavor == "small" ? "1" : "2";
    c.image = "1";
  }
  return c;
}

ActOnVm Workload::make_act() {
  ActOnVm a;
  a.kind = sim_.random.pick(kActions);
  a.vm = any_vm();
  a.args.hard = sim_.random.chance(0.5);
  a.args.name = fmt::format("name-{}", count_);
  a.args.snapshot = fmt::format("s{}", sim_.random.below(3));
  if (a.kind == CommandKind::VmResize) a.flavor = sim_.random.chance(0.5) ? "small" : "large";
  if (a.kind == CommandKind::VmRebuild) a.image = sim_.random.chance(0.5) ? "image-1" : "image-2";
  return a;
}

CommandBody Workload::make_redrive() {
  const TaskId from = any_task();
  const auto trace = sim_.invariants.tasks().find(from);
  const auto body = bodies_.find(from);
  if (trace == sim_.invariants.tasks().end() || body == bodies_.end()) return CancelTask{from};
  RedriveTask r;
  r.from = from;
  r.root = trace->second.root;
  r.from_state = trace->second.state;
  r.from_tenant = "demo";
  r.body = body->second;
  if (auto* create = std::get_if<CreateVm>(&r.body)) create->vm = trace->second.vm;
  return r;
}

ItemBody Workload::make_item() {
  switch (sim_.random.below(5)) {
    case 0:
      return make_act();
    case 1:
      return CancelTask{any_task()};
    case 2: {
      auto body = make_redrive();
      if (auto* r = std::get_if<RedriveTask>(&body)) return *r;
      return make_create();
    }
    default:
      return make_create();
  }
}

CommandBody Workload::make_assignment() {
  if (sim_.random.chance(0.4)) return ReleaseVm{any_vm()};
  return AssignVm{any_vm(), fmt::format("user-{}", sim_.random.below(5)), "app"};
}

CommandBody Workload::make_body() {
  const std::uint64_t n = sim_.random.below(100);
  if (n < 30) return make_create();
  if (n < 65) return make_act();
  if (n < 76) return CancelTask{any_task()};
  if (n < 86) return make_redrive();
  if (n < 88) return SetPriority{any_task(), static_cast<std::uint32_t>(sim_.random.below(10))};
  if (n < 90) return make_assignment();
  if (n < 92 && !images_.empty()) return DeleteImage{sim_.random.pick(images_)};
  if (n < 96) return leases_.make(sim_.random, now());
  OpenBatch b;
  b.lenient = sim_.random.chance(0.6);
  const std::uint64_t items = 1 + sim_.random.below(12);
  for (std::uint64_t i = 0; i < items; ++i) b.items.push_back({TaskId(), make_item()});
  return b;
}

void Workload::add_options(Command& c) {
  Random& random = sim_.random;
  c.priority = static_cast<std::uint32_t>(random.below(10));
  if (random.chance(0.15)) c.not_before = now() + random.between(-5s, 120s);
  if (random.chance(0.15)) c.deadline = now() + random.between(0s, 240s);
  if (random.chance(0.12)) {
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      if (const TaskId t = any_task(); !t.is_nil()) c.depends_on.push_back(t);
    }
  }
}

void Workload::fresh_ids(Command& c) {
  Random& random = sim_.random;
  c.task = random.id<TaskId>(now());
  const auto fresh = [&]<class B>(B& body) {
    if constexpr (std::is_same_v<B, CreateVm>) body.vm = random.id<VmId>(now());
    if constexpr (std::is_same_v<B, ActOnVm>) body.new_image = random.id<ImageId>(now());
    if constexpr (std::is_same_v<B, RedriveTask>) body.fresh_vm = random.id<VmId>(now());
  };
  std::visit(fresh, c.body);
  if (auto* batch = std::get_if<OpenBatch>(&c.body)) {
    for (BatchItem& item : batch->items) {
      item.task = random.id<TaskId>(now());
      std::visit(fresh, item.body);
    }
  }
}

void Workload::remember(const Command& c) {
  const auto keep = [this](const TaskId& task, const auto& body) {
    using B = std::decay_t<decltype(body)>;
    if constexpr (std::is_same_v<B, CreateVm> || std::is_same_v<B, ActOnVm>) {
      bodies_[task] = body;
    } else if constexpr (std::is_same_v<B, RedriveTask>) {
      bodies_[task] = body.body;
    }
  };
  std::visit([&](const auto& body) { keep(c.task, body); }, c.body);
  if (const auto* batch = std::get_if<OpenBatch>(&c.body)) {
    for (const BatchItem& item : batch->items) {
      std::visit([&](const auto& body) { keep(item.task, body); }, item.body);
    }
  }
}

}  // namespace slipway::simulation
