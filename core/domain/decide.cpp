#include "core/domain/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/domain/draft.hpp"
#include "core/domain/guest_rules.hpp"
#include "core/domain/host_rules.hpp"
#include "core/domain/image_rules.hpp"
#include "core/domain/infrastructure_rules.hpp"
#include "core/domain/inner_task.hpp"
#include "core/domain/lease_rules.hpp"
#include "core/domain/membership_rules.hpp"
#include "core/domain/node_rules.hpp"
#include "core/domain/people.hpp"
#include "core/domain/placement.hpp"
#include "core/domain/plan.hpp"

namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;
using base::Status;

base::Error unknown(std::string_view what, std::string_view value, std::string_view pointer) {
  return {Errc::UnprocessableArgument,
          fmt::format("no {} '{}'", what, value),
          {{std::string(pointer), fmt::format("unknown-{}", what),
            fmt::format("no {} '{}'", what, value)}}};
}

// One command's decision: each client command is a method that adds events to the draft or refuses.
class Decider {
 public:
  Decider(const World& world, const Policy& policy, const Command& command, base::Time now)
      : world_(world), policy_(policy), command_(command), draft_(world, now) {}

  base::Result<Events> run() {
    if (auto status = std::visit([this](const auto& c) { return decide(c); }, command_.body);
        !status) {
      return fail(status.error());
    }
    return std::move(draft_.events);
  }

 private:
  const Caller& caller() const { return command_.caller; }

  // ---- what carries work to a worker ----
  Status decide(const CreateVm& c) { return accept_work(c, command_.task, TaskId(), 0); }
  Status decide(const ActOnVm& c) { return accept_work(c, command_.task, TaskId(), 0); }
  Status decide(const DeleteImage& c) { return delete_image(c, command_.task, TaskId(), 0); }

  template <class C>
  Status accept_work(const C& c, const TaskId& task, const TaskId& parent, std::uint32_t index) {
    if (auto status = check_room(); !status) return status;
    TaskBlocked blocked;
    if (auto status = find_blocks(blocked); !status) return status;
    draft_.add(StreamKind::Command, task, CommandAccepted{kind(c), {}, {}});
    std::string backend;
    if (auto status = start(c, task, backend); !status) return status;
    queue(task, kind(c), backend, parent, index);
    // Nothing of the old task is gone on with: its first TaskRedriven says where it comes from.
    if (!redriven_.is_nil()) draft_.add(StreamKind::Task, task, TaskRedriven{redriven_, {}, {}});
    block(task, std::move(blocked));
    return {};
  }

  static CommandKind kind(const CreateVm&) { return CommandKind::VmCreate; }
  static CommandKind kind(const ActOnVm& c) { return c.kind; }
  static CommandKind kind(const DeleteImage&) { return CommandKind::ImageDelete; }

  Status check_room() const {
    const Project* project = world_.project(caller().tenant);
    std::uint64_t limit = policy_.tasks_in_flight_per_tenant;
    if (project != nullptr && project->quota.tasks_in_flight != 0) {
      limit = project->quota.tasks_in_flight;
    }
    if (world_.tasks_in_flight(caller().tenant) + draft_.tasks_added >= limit) {
      return fail(Errc::RateLimited,
                  fmt::format("{} tasks of this tenant are in flight, the limit", limit));
    }
    return {};
  }

  Status check_pool(const std::string& backend) const {
    const Backend* b = world_.backend(backend);
    const auto* ready = b == nullptr ? nullptr : world_.ready(b->worker_pool);
    if (ready != nullptr && ready->size() + draft_.tasks_added >= policy_.tasks_per_pool) {
      return fail(Errc::QueueFull, "the worker pool's queue is full");
    }
    return {};
  }

  void queue(const TaskId& task, CommandKind kind, const std::string& backend, const TaskId& parent,
             std::uint32_t index) {
    const Backend* b = world_.backend(backend);
    TaskQueued e;
    e.command = kind;
    e.worker_pool = b == nullptr ? "" : b->worker_pool;
    e.backend = backend;
    e.priority = command_.priority;
    e.max_attempts = policy_.max_attempts;
    e.deadline = deadline();
    e.parent = parent;
    e.index = index;
    draft_.add(StreamKind::Task, task, std::move(e));
    ++draft_.tasks_added;
  }

  base::Time deadline() const {
    if (command_.deadline) return *command_.deadline;
    return std::max(draft_.now, command_.not_before.value_or(draft_.now)) +
           policy_.default_deadline;
  }

  Status find_blocks(TaskBlocked& e) const {
    for (const TaskId& id : command_.depends_on) {
      if (draft_.tasks_ended.contains(id)) {  // by an item before this one in the same batch
        return fail(Errc::IllegalTransition,
                    fmt::format("task {}, which this one depends on, is cancelled by this batch",
                                base::to_string(id)));
      }
      if (const Task* other = world_.task(id)) {
        if (!caller().owns(other->tenant)) return unknown_dependency(id);
        if (std::find(e.depends_on.begin(), e.depends_on.end(), id) == e.depends_on.end()) {
          e.depends_on.push_back(id);
        }
        continue;
      }
      const auto outcome = world_.recent_outcome(id);
      if (!outcome) return unknown_dependency(id);
      if (*outcome != TaskState::Succeeded) {
        return fail(Errc::IllegalTransition,
                    fmt::format("task {}, which this one depends on, ended {}", base::to_string(id),
                                base::enum_name(*outcome)));
      }
    }
    if (command_.not_before && *command_.not_before > draft_.now) {
      e.not_before = command_.not_before;
    }
    return {};
  }
  void block(const TaskId& task, TaskBlocked e) {
    if (!e.depends_on.empty() || e.not_before) draft_.add(StreamKind::Task, task, std::move(e));
  }
  static tl::unexpected<base::Error> unknown_dependency(const TaskId& id) {
    return fail(unknown("task", base::to_string(id), "/depends_on"));
  }

  // ---- create ----
  Status start(const CreateVm& c, const TaskId& task, std::string& backend) {
    VmSpec spec;
    if (auto status = resolve(c, spec); !status) return status;
    if (auto status = check_pool(spec.backend); !status) return status;
    const Usage more{1, spec.size.vcpus, spec.size.memory_mb, spec.size.disk_gb};
    if (auto status = check_quota(draft_, spec.project, more); !status) return status;
    if (auto status = place_vm(c, spec); !status) return status;
    if (auto status = take_address(c, spec); !status) return status;
    if (!c.name_rule.empty()) spec.name = name_by_rule(c.name_rule, c.name, spec);
    if (auto status = give_number(draft_, spec); !status) return status;
    count(spec);
    backend = spec.backend;
    draft_.vms_touched.insert(c.vm);

    auto& accepted = std::get<CommandAccepted>(draft_.events.back().body);
    thread_local base::JsonWriter args;
    args.clear();
    base::write_json(args, c);
    accepted.args.text = args.text();
    accepted.resources.push_back({StreamKind::Vm, c.vm, spec.name});
    define_private_flavor(draft_, spec.size);
    draft_.add(StreamKind::Vm, c.vm, VmRequested{std::move(spec), task});
    return {};
  }

  Status resolve(const CreateVm& c, VmSpec& spec) const {
    spec.name = c.name;
    spec.project = caller().tenant;
    spec.labels = c.labels;
    spec.keypair = c.keypair;
    spec.admin_secret = c.admin_secret;
    spec.user_data = c.user_data;
    spec.guest = c.guest;
    base::Error error{Errc::UnprocessableArgument, "", {}};
    const auto note = [&](base::Error e) {
      if (error.message.empty()) error.message = e.message;
      for (auto& f : e.fields) error.fields.push_back(std::move(f));
    };
    const Backend* backend = find_backend(cloud_wanted(c));
    if (backend != nullptr) spec.backend = backend->name;
    if (const auto size = c.flavor.empty() ? c.size : size_on(world_, spec.backend, c.flavor)) {
      spec.size = *size;
    } else {
      note(unknown("flavor", c.flavor, "/args/flavor"));
    }
    if (c.image.empty() && c.guest) {
      spec.image = ImageId();  // an empty disk, to be installed from media
    } else if (const LiveImage* image = find_image(c.image, spec.backend)) {
      spec.image = image->image.id;
    } else if (!has_own_image(world_, spec.backend, c.image)) {
      note(unknown("image", c.image, "/args/image"));
    }
    // One with a face has addresses of its own.
    const bool in_network = backend == nullptr || backend->face.empty();
    const Network* network = in_network ? find_network(c.network, backend) : nullptr;
    if (network != nullptr) {
      spec.network = network->id;
    } else if (in_network) {
      note(unknown("network", c.network, "/args/network"));
    }
    if (backend == nullptr) note(unknown("backend", c.backend, "/args/backend"));
    if (world_.vm(c.vm) != nullptr || draft_.vms_touched.contains(c.vm)) {
      return fail(Errc::ResourceBusy, "a VM with this id exists");
    }
    if (error.fields.empty()) return {};
    return fail(std::move(error));
  }

  // One that lies on that cloud.
  const LiveImage* find_image(const std::string& wanted, const std::string& backend) const {
    const LiveImage* image = nullptr;
    if (const auto id = base::parse_uuid(wanted)) image = world_.image(ImageId(*id));
    if (image == nullptr) image = world_.image_by_name(wanted, caller().tenant, backend);
    if (image == nullptr || image->state != ImageState::Saved) return nullptr;
    if (image->image.is_media()) return nullptr;  // holds no system
    if (!backend.empty() && !lies_on(world_, *image, backend)) return nullptr;
    return image->image.is_public || image->image.tenant == caller().tenant ? image : nullptr;
  }
  // A network of one cloud is of use there alone; those of none are for clouds without their own. A
  // cloud that places by itself gives its addresses by itself too.
  bool may_use(const Network& n, const Backend* backend) const {
    if (!n.shared && n.tenant != caller().tenant) return false;
    if (backend == nullptr) return n.first_ipv4 != 0;
    if (n.backend != backend->name && !(n.backend.empty() && !has_networks(*backend))) return false;
    return n.backend.empty() ? n.first_ipv4 != 0 : !n.external;
  }
  bool has_networks(const Backend& backend) const {
    const auto& all = world_.networks();
    return std::any_of(all.begin(), all.end(),
                       [&](const Network& n) { return n.backend == backend.name; });
  }
  const Network* find_network(const std::string& wanted, const Backend* backend) const {
    const Network* network = nullptr;
    if (const auto id = base::parse_uuid(wanted)) network = world_.network(NetworkId(*id));
    if (network != nullptr) return may_use(*network, backend) ? network : nullptr;
    for (const Network& n : world_.networks()) {
      if ((wanted.empty() || n.name == wanted) && may_use(n, backend)) return &n;
    }
    return nullptr;
  }
  // Who names a host or a pool of hosts and no cloud means theirs.
  std::string cloud_wanted(const CreateVm& c) const {
    const std::string pool = c.guest ? c.guest->pool : "";
    if (!c.backend.empty() || (c.host.empty() && pool.empty())) return c.backend;
    for (const auto& [name, live] : world_.hosts()) {
      if (name == c.host || (c.host.empty() && live.host.pool == pool)) return live.host.backend;
    }
    return {};
  }
  const Backend* find_backend(const std::string& wanted) const {
    return world_.backend(wanted.empty() ? world_.nodes().default_backend() : wanted);
  }

  Status place_vm(const CreateVm& c, VmSpec& spec) {
    if (!world_.backend(spec.backend)->places_hosts) return {};
    const std::string pool = c.guest ? c.guest->pool : "";
    if (auto status = check_compute_pool(pool); !status) return status;
    spec.host = place(draft_, {spec.backend, spec.project, c.host, "", pool}, spec.size);
    if (spec.host.empty()) return fail(Errc::CapacityExhausted, "no host has room for this VM");
    return {};
  }

  Status check_compute_pool(const std::string& pool) const {
    const auto is_in = [&](const auto& item) { return item.second.host.pool == pool; };
    if (pool.empty() || std::any_of(world_.hosts().begin(), world_.hosts().end(), is_in)) return {};
    return fail(unknown("pool", pool, "/args/pool"));
  }

  Status take_address(const CreateVm& c, VmSpec& spec) {
    if (!world_.backend(spec.backend)->places_hosts) return {};
    const AddressRange* range = world_.addresses(spec.network);
    if (c.ipv4) {
      if (range == nullptr || !range->is_free(*c.ipv4) ||
          !draft_.addresses_given.emplace(spec.network, *c.ipv4).second) {
        return fail(Errc::UnprocessableArgument,
                    fmt::format("the address {} is not free", ipv4_text(*c.ipv4)));
      }
      spec.ipv4 = *c.ipv4;
      return {};
    }
    const Infrastructure& all = world_.infrastructure();
    const auto* pool = all.addresses_for(world_.hosts().at(spec.host).host.pool);
    if (pool != nullptr) return take_pool_address(*pool, spec);
    if (range == nullptr) {
      return fail(
          Errc::CapacityExhausted,
          "the network has no addresses to give: the pool of its hosts needs an address pool");
    }
    std::size_t& taken = draft_.addresses_taken[spec.network];
    do {
      spec.ipv4 = range->peek(taken++);
      if (spec.ipv4 == 0) return fail(Errc::CapacityExhausted, "the network has no free address");
    } while (!draft_.addresses_given.emplace(spec.network, spec.ipv4).second);
    return {};
  }

  Status take_pool_address(const LiveAddressPool& pool, VmSpec& spec) {
    std::size_t& taken = draft_.pool_addresses_taken[pool.pool.name];
    spec.ipv4 = Infrastructure::peek(pool, taken);
    if (spec.ipv4 == 0) {
      return fail(Errc::CapacityExhausted,
                  fmt::format("address pool '{}' has no free address", pool.pool.name));
    }
    spec.address_pool = pool.pool.name;
    ++taken;
    return {};
  }

  void count(const VmSpec& spec) {
    for (Usage* u : {&draft_.usage_added[spec.project], &draft_.host_added[spec.host]}) {
      ++u->vms;
      u->vcpus += spec.size.vcpus;
      u->memory_mb += spec.size.memory_mb;
      u->disk_gb += spec.size.disk_gb;
    }
  }

  // ---- on what exists ----
  Status start(const ActOnVm& c, const TaskId& task, std::string& backend) {
    const Vm* vm = world_.vm(c.vm);
    if (vm != nullptr) backend = vm->spec.backend;
    if (auto status = check_pool(backend); !status) return status;
    return start_on_vm(draft_, command_, c, task, redriven_);
  }

  Status delete_image(const DeleteImage& c, const TaskId& task, const TaskId& parent,
                      std::uint32_t index) {
    const LiveImage* image = world_.image(c.image);
    if (image == nullptr || !is_kept_here(*image) || !caller().owns(image->image.tenant) ||
        draft_.images_touched.contains(c.image)) {
      return accept_work(c, task, parent, index);
    }
    draft_.images_touched.insert(c.image);
    begin_here(task, CommandKind::ImageDelete, parent, index,
               {{StreamKind::Image, c.image, image->image.name}});
    draft_.add(StreamKind::Image, c.image, ImageDeleted{});
    draft_.add(StreamKind::Task, task, TaskSucceeded{});
    if (parent.is_nil()) return {};
    draft_.add(StreamKind::Batch, parent, BatchItemSucceeded{task, index});
    ++draft_.items_ended[parent].succeeded;
    return {};
  }

  // A task that no worker has to do with: accepted and begun in one record, by the server itself.
  void begin_here(const TaskId& task, CommandKind kind, const TaskId& parent, std::uint32_t index,
                  std::vector<ResourceRef> resources) {
    draft_.add(StreamKind::Command, task, CommandAccepted{kind, {}, std::move(resources)});
    TaskQueued queued;
    queued.command = kind;
    queued.deadline = deadline();
    queued.parent = parent;
    queued.index = index;
    draft_.add(StreamKind::Task, task, std::move(queued));
    draft_.add(StreamKind::Task, task, TaskLeased{1, 1, "slipway", SessionId(), {}});
  }

  Status start(const DeleteImage& c, const TaskId& task, std::string& backend) {
    const LiveImage* image = world_.image(c.image);
    if (image == nullptr || (!caller().owns(image->image.tenant) && !image->image.is_public)) {
      return fail(Errc::NotFound, fmt::format("no image {}", base::to_string(c.image)));
    }
    if (!caller().owns(image->image.tenant)) {
      return fail(Errc::Forbidden, "the image belongs to another tenant");
    }
    if ((image->state != ImageState::Saved && image->state != ImageState::Error) ||
        draft_.images_touched.contains(c.image)) {
      return fail(Errc::IllegalTransition, "the image is not SAVED");
    }
    const Backend* found = find_backend(image->image.backend);
    backend = found == nullptr ? "" : found->name;
    if (auto status = check_pool(backend); !status) return status;
    draft_.images_touched.insert(c.image);
    auto& accepted = std::get<CommandAccepted>(draft_.events.back().body);
    base::JsonWriter args;
    base::write_json(args, c);
    accepted.args.text = args.text();
    accepted.resources.push_back({StreamKind::Image, c.image, image->image.name});
    draft_.add(StreamKind::Image, c.image, ImageDeleting{task});
    return {};
  }

  // ---- on tasks ----
  Status decide(const CancelTask& c) { return cancel(c.task, command_.if_match); }

  Status cancel(const TaskId& id, std::optional<StreamVersion> if_match) {
    const Task* task = world_.task(id);
    if (task == nullptr || !caller().owns(task->tenant)) {
      // One that has ended too: whose it was is in the read models, and asked there first.
      return fail(Errc::NotFound, fmt::format("no task {}", base::to_string(id)));
    }
    if (if_match && *if_match != task->version) {
      return fail(Errc::VersionMismatch,
                  fmt::format("the task is at version {}, not {}", task->version, *if_match));
    }
    if (task->batch) return cancel_items(*task);
    request_cancel(draft_, *task, CancelReason::Client, policy_);
    return {};
  }

  Status cancel_items(const Task& batch) {
    std::vector<const Task*> items;
    world_.each_task([&](const Task& t) {
      if (t.parent == batch.id) items.push_back(&t);
    });
    std::sort(items.begin(), items.end(),
              [](const Task* a, const Task* b) { return a->index < b->index; });
    for (const Task* item : items) request_cancel(draft_, *item, CancelReason::Client, policy_);
    return {};
  }

  Status decide(const RedriveTask& c) { return redrive(c, command_.task, TaskId(), 0); }

  Status redrive(const RedriveTask& c, const TaskId& task, const TaskId& batch,
                 std::uint32_t index) {
    if (!caller().owns(c.from_tenant)) {
      return fail(Errc::NotFound, fmt::format("no task {}", base::to_string(c.from)));
    }
    using enum TaskState;
    if (c.from_state != Dead && c.from_state != Failed && c.from_state != TimedOut &&
        c.from_state != Cancelled) {
      return fail(Errc::IllegalTransition,
                  fmt::format("a task that is {} is not retried", base::enum_name(c.from_state)));
    }
    const TaskId parent = batch.is_nil() ? c.from : batch;
    redriven_ = c.from;
    Status status = redrive_work(c, task, parent, index);
    redriven_ = TaskId();
    return status;
  }

  Status redrive_work(const RedriveTask& c, const TaskId& task, const TaskId& parent,
                      std::uint32_t index) {
    if (const auto* create = std::get_if<CreateVm>(&c.body)) {
      const Vm* vm = world_.vm(create->vm);
      if (vm != nullptr) return resume_create(c, *create, *vm, task, parent, index);
      CreateVm fresh = *create;
      fresh.vm = c.fresh_vm;
      return accept_work(fresh, task, parent, index);
    }
    if (const auto* act = std::get_if<ActOnVm>(&c.body);
        act && act->kind == CommandKind::ImageCapture) {
      ActOnVm fresh = *act;
      fresh.new_image = ImageId(task);  // the old one's id may have been used
      return accept_work(fresh, task, parent, index);
    }
    return std::visit([&](const auto& body) { return accept_work(body, task, parent, index); },
                      c.body);
  }

  // The VM of the old create is still there, in ERROR: go on with it, looking for what was made.
  Status resume_create(const RedriveTask& c, const CreateVm& create, const Vm& vm,
                       const TaskId& task, const TaskId& parent, std::uint32_t index) {
    if (!caller().owns(vm.tenant)) return fail(Errc::NotFound, "no such VM");
    if (vm.state != VmState::Error || !vm.task.is_nil() || !vm.backend_ref.empty() ||
        draft_.vms_touched.contains(vm.id)) {
      return fail(Errc::IllegalTransition, "the VM has moved on since");
    }
    if (auto status = check_room(); !status) return status;
    TaskBlocked blocked;
    if (auto status = find_blocks(blocked); !status) return status;
    if (auto status = check_pool(vm.spec.backend); !status) return status;
    base::JsonWriter args;
    base::write_json(args, create);
    draft_.add(StreamKind::Command, task,
               CommandAccepted{
                   CommandKind::VmCreate, {args.text()}, {{StreamKind::Vm, vm.id, vm.spec.name}}});
    queue(task, CommandKind::VmCreate, vm.spec.backend, parent, index);
    draft_.add(StreamKind::Task, task, TaskRedriven{c.from, vm.creator, draft_.now});
    block(task, std::move(blocked));
    draft_.add(StreamKind::Vm, vm.id, VmStateChanged{VmState::Queued, task});
    draft_.vms_touched.insert(vm.id);
    return {};
  }

  Status decide(const SetPriority& c) {
    const Task* task = world_.task(c.task);
    if (task == nullptr || !caller().owns(task->tenant)) {
      return fail(Errc::NotFound, fmt::format("no task {}", base::to_string(c.task)));
    }
    if (command_.if_match && *command_.if_match != task->version) {
      return fail(Errc::VersionMismatch, fmt::format("the task is at version {}, not {}",
                                                     task->version, *command_.if_match));
    }
    draft_.add(StreamKind::Task, c.task, TaskPriorityChanged{c.priority});
    return {};
  }

  // ---- batch ----
  Status decide(const OpenBatch& c) {
    if (c.items.empty()) return fail(Errc::UnprocessableArgument, "a batch needs an item");
    if (c.items.size() > policy_.batch_items_max) {
      return fail(Errc::UnprocessableArgument,
                  fmt::format("a batch has at most {} items", policy_.batch_items_max));
    }
    draft_.add(StreamKind::Command, command_.task, CommandAccepted{c.kind, {}, {}});
    queue(command_.task, c.kind, "", TaskId(), 0);
    draft_.add(StreamKind::Batch, command_.task,
               BatchOpened{c.kind, static_cast<std::uint32_t>(c.items.size())});
    base::Error all{Errc::UnprocessableArgument, "", {}};
    std::uint32_t index = 0;
    for (const BatchItem& item : c.items) {
      const std::size_t before = draft_.events.size();
      if (auto status = accept_item(item, index); !status) {
        draft_.events.resize(before);
        if (c.lenient) {
          fail_item(item, index, status.error());
        } else {
          note_item(all, index, status.error());
        }
      }
      ++index;
    }
    if (!all.fields.empty()) return fail(std::move(all));
    return close_if_done(c);
  }

  Status accept_item(const BatchItem& item, std::uint32_t index) {
    return std::visit(
        [&](const auto& body) -> Status {
          using B = std::decay_t<decltype(body)>;
          if constexpr (std::is_same_v<B, CancelTask>) {
            auto status = cancel(body.task, std::nullopt);
            if (status) end_item_at_once(item, index, kind_of(item.body), TaskState::Succeeded, {});
            return status;
          } else if constexpr (std::is_same_v<B, RedriveTask>) {
            return redrive(body, item.task, command_.task, index);
          } else if constexpr (std::is_same_v<B, DeleteImage>) {
            return delete_image(body, item.task, command_.task, index);
          } else {
            return accept_work(body, item.task, command_.task, index);
          }
        },
        item.body);
  }

  void fail_item(const BatchItem& item, std::uint32_t index, const base::Error& error) {
    TaskError e;
    e.code = base::errc_name(error.code);
    e.detail = error.message;
    end_item_at_once(item, index, kind_of(item.body), TaskState::Failed, std::move(e));
  }

  // An item that no worker has to do with: it is accepted and ended in the same record.
  void end_item_at_once(const BatchItem& item, std::uint32_t index, CommandKind kind,
                        TaskState state, TaskError error) {
    begin_here(item.task, kind, command_.task, index, resources_of(item.body));
    auto& ended = draft_.items_ended[command_.task];
    if (state == TaskState::Succeeded) {
      draft_.add(StreamKind::Task, item.task, TaskSucceeded{});
      draft_.add(StreamKind::Batch, command_.task, BatchItemSucceeded{item.task, index});
      ++ended.succeeded;
    } else {
      draft_.add(StreamKind::Task, item.task, TaskFailed{std::move(error)});
      draft_.add(StreamKind::Batch, command_.task, BatchItemFailed{item.task, index, state});
      ++ended.failed;
    }
  }

  // What a refused item was about: by name where it gave no id, or one of its own VMs.
  std::vector<ResourceRef> resources_of(const ItemBody& body) const {
    if (const auto* c = std::get_if<CreateVm>(&body)) return {{StreamKind::Vm, c->vm, c->name}};
    const auto* act = std::get_if<ActOnVm>(&body);
    if (act == nullptr) return {};
    const Vm* vm = world_.vm(act->vm);
    const bool own = vm != nullptr && caller().owns(vm->tenant);
    const std::string& named = act->vm.is_nil() ? act->args.name : std::string();
    return {{StreamKind::Vm, act->vm, own ? vm->spec.name : named}};
  }

  static void note_item(base::Error& all, std::uint32_t index, const base::Error& error) {
    if (all.message.empty()) {
      all.code = error.code;
      all.message = fmt::format("item {}: {}", index, error.message);
    }
    const std::string prefix = fmt::format("/commands/{}", index);
    for (const base::FieldError& f : error.fields) {
      all.fields.push_back({prefix + f.pointer, f.code, f.detail});
    }
    if (error.fields.empty()) {
      all.fields.push_back({prefix, std::string(base::errc_name(error.code)), error.message});
    }
  }

  Status close_if_done(const OpenBatch& c) {
    const auto it = draft_.items_ended.find(command_.task);
    if (it == draft_.items_ended.end()) return {};
    const auto& ended = it->second;
    if (ended.succeeded + ended.failed + ended.cancelled == c.items.size()) {
      const TaskState state = ended.failed == 0      ? TaskState::Succeeded
                              : ended.succeeded == 0 ? TaskState::Failed
                                                     : TaskState::Partial;
      draft_.add(StreamKind::Batch, command_.task, BatchClosed{state});
    }
    return {};
  }

  // Commands of the aggregates that have a file of their own: a decide_on() beside each.
  template <class C>
  Status decide(const C& c) {
    if (!is_followed(kind_of(command_.body))) return decide_on(draft_, command_, c);
    if (auto status = decide_on(draft_, command_, c); !status) return status;
    Events made = std::exchange(draft_.events, {});
    std::vector<ResourceRef> about;
    if (!made.empty()) {
      about.push_back({made[0].stream.kind, made[0].stream.id, made[0].stream.name});
    }
    add_done_task_about(draft_, command_, std::move(about));
    std::move(made.begin(), made.end(), std::back_inserter(draft_.events));
    return {};
  }
  // Done here and now, and a task all the same. Not sessions, which come and go by the thousand.
  static bool is_followed(CommandKind kind) {
    using enum CommandKind;
    if (kind >= SessionOpen && kind <= SessionClose) return false;
    return (kind >= UserCreate && kind <= UserDelete) ||
           (kind >= ImageRegister && kind <= AuditHide && kind != SystemFound);
  }

  // ---- system ----
  Status decide(const InitializeSystem& c) {
    if (world_.initialized()) return fail(Errc::IllegalTransition, "the log is initialized");
    draft_.add(StreamKind::System, "main", SystemInitialized{c.version, c.demo});
    for (const auto& b : c.backends) draft_.add(StreamKind::Backend, b.name, BackendRegistered{b});
    for (const auto& h : c.hosts) draft_.add(StreamKind::Host, h.name, HostAttached{h});
    for (const auto& f : c.flavors) draft_.add(StreamKind::Flavor, f.id, FlavorDefined{f});
    for (const auto& i : c.images) draft_.add(StreamKind::Image, i.id, ImageRegistered{i});
    for (const auto& n : c.networks) draft_.add(StreamKind::Network, n.id, NetworkDefined{n});
    for (const auto& p : c.projects) draft_.add(StreamKind::Project, p.name, ProjectCreated{p});
    for (const auto& u : c.users) draft_.add(StreamKind::User, u.name, UserCreated{u});
    for (const auto& p : c.pools) draft_.add(StreamKind::Pool, p.name, PoolCreated{p});
    for (const auto& r : c.roles) draft_.add(StreamKind::Role, r.name, RoleCreated{r});
    for (const auto& g : c.groups) draft_.add(StreamKind::Group, g.name, GroupCreated{g});
    return {};
  }

  const World& world_;
  const Policy& policy_;
  const Command& command_;
  Draft draft_;
  TaskId redriven_;  // whom the work in hand repeats; nil for none
};

}  // namespace

base::Result<Events> decide(const World& world, const Policy& policy, const Command& command,
                            base::Time now) {
  return Decider(world, policy, command, now).run();
}

}  // namespace slipway::domain
