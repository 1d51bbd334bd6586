#include "api/core_api/parse_command.hpp"

#include <fmt/format.h>

#include "api/submit.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;
using domain::CommandKind;

constexpr std::uint64_t kMaxSize = 1'000'000'000;  // vCPUs, MB, GB: keeps every sum within 64 bits
constexpr std::size_t kUserDataBytes = 64 * 1024;

// One command's arguments; which members there are depends on the command.
class Arguments {
 public:
  Arguments(FieldReader& fields, ParsedCommand& out, const base::Uuid& subject)
      : f_(fields), out_(out), subject_(subject) {}

  void parse(CommandKind kind);
  domain::ItemBody item(CommandKind kind);
  void batch_of_vms(CommandKind each);

 private:
  domain::CreateVm create_vm();
  domain::ActOnVm act_on_vm(CommandKind kind);
  void act_arguments(domain::ActOnVm& act);
  void guest_arguments(domain::ActOnVm& act);
  std::optional<domain::Size> size();
  void open_batch(CommandKind kind);
  void add_commands(domain::OpenBatch& batch, const JsonValue& list);
  void add_copies(domain::OpenBatch& batch, const JsonValue& pattern, std::uint64_t count);
  std::optional<domain::ItemBody> command_item(const JsonValue& json, const std::string& pointer);
  void people(CommandKind kind);
  void access_token();
  domain::Role role();
  domain::Backend backend();
  base::Uuid subject(std::string_view name) {
    if (!subject_.is_nil()) return subject_;
    return f_.id(name, true).value_or(base::Uuid());
  }
  domain::SecretRef secret(std::string_view name, std::size_t max_bytes, std::string_view prefix);

  FieldReader& f_;
  ParsedCommand& out_;
  const base::Uuid subject_;
};

void Arguments::parse(CommandKind kind) {
  switch (kind) {
    case CommandKind::VmCreate:
      out_.body = create_vm();
      return;
    case CommandKind::ImageDelete:
      out_.body = domain::DeleteImage{domain::ImageId(subject("image"))};
      return;
    case CommandKind::BatchCommands:
    case CommandKind::BatchVmCreate:
      open_batch(kind);
      return;
    case CommandKind::BatchVmDelete:
      batch_of_vms(CommandKind::VmDelete);
      return;
    case CommandKind::TaskCancel:
      out_.body = domain::CancelTask{domain::TaskId(subject("task"))};
      return;
    case CommandKind::TaskRedrive: {
      domain::RedriveTask redrive;
      redrive.from = domain::TaskId(subject("task"));
      out_.body = std::move(redrive);
      return;
    }
    case CommandKind::TaskSetPriority:
      out_.body = domain::SetPriority{
          domain::TaskId(subject("task")),
          static_cast<std::uint32_t>(f_.number("priority", 0, 9, true).value_or(5))};
      return;
    case CommandKind::UserCreate:
    case CommandKind::UserSetPassword:
    case CommandKind::UserDelete:
    case CommandKind::TokenCreate:
    case CommandKind::TokenDelete:
    case CommandKind::QuotaSet:
      people(kind);
      return;
    case CommandKind::HostSetAlive:
      out_.body = domain::SetHostAlive{f_.text("host", {.required = true}), f_.flag("alive")};
      return;
    case CommandKind::BackendRegister:
      out_.body = domain::RegisterBackend{backend()};
      return;
    case CommandKind::VmAssign: {
      const domain::VmId vm(subject("vm"));
      std::string user = f_.text("user", {.required = true});
      out_.body = domain::AssignVm{vm, std::move(user), f_.text("vm_type")};
      return;
    }
    case CommandKind::VmRelease:
      out_.body = domain::ReleaseVm{domain::VmId(subject("vm"))};
      return;
    default:
      out_.body = act_on_vm(kind);
  }
}

// ---- VMs

domain::CreateVm Arguments::create_vm() {
  domain::CreateVm c;
  c.vm = domain::VmId(new_id());
  c.name = f_.text("name", {.required = true});
  c.flavor = f_.text("flavor");
  c.size = size();
  if (c.flavor.empty() && !c.size && f_.errors().empty()) f_.require("flavor");
  c.image = f_.text("image", {.required = true});
  c.network = f_.text("network");
  c.backend = f_.text("backend");
  c.host = f_.text("host");
  c.labels = f_.labels("labels");
  c.keypair = f_.text("keypair");
  c.admin_secret = secret("admin_password", FieldReader::kNameBytes, "admin");
  c.user_data = secret("user_data", kUserDataBytes, "user-data");
  return c;
}

std::optional<domain::Size> Arguments::size() {
  const auto json = f_.member("size");
  if (!json) return std::nullopt;
  FieldReader size(json, f_.pointer("size"), f_.errors());
  domain::Size out;
  out.vcpus = static_cast<std::uint32_t>(size.number("vcpus", 1, kMaxSize, true).value_or(0));
  out.memory_mb =
      static_cast<std::uint32_t>(size.number("memory_mb", 1, kMaxSize, true).value_or(0));
  out.disk_gb = static_cast<std::uint32_t>(size.number("disk_gb", 0, kMaxSize, true).value_or(0));
  size.finish();
  return out;
}

domain::SecretRef Arguments::secret(std::string_view name, std::size_t max_bytes,
                                    std::string_view prefix) {
  std::string value = f_.text(name, {.max_bytes = max_bytes, .one_line = false});
  if (value.empty()) return {};
  domain::SecretRef ref = fmt::format("{}-{}", prefix, base::to_string(new_id()));
  out_.secrets.push_back({ref, base::Secret(std::move(value))});
  return ref;
}

domain::ActOnVm Arguments::act_on_vm(CommandKind kind) {
  domain::ActOnVm act;
  act.kind = kind;
  act.vm = domain::VmId(subject("vm"));
  act_arguments(act);
  return act;
}

void Arguments::act_arguments(domain::ActOnVm& act) {
  switch (act.kind) {
    case CommandKind::VmReboot:
      act.args.hard = f_.flag("hard");
      break;
    case CommandKind::VmResize:
      act.flavor = f_.text("flavor");
      act.args.size = size();
      if (act.flavor.empty() && !act.args.size && f_.errors().empty()) f_.require("flavor");
      break;
    case CommandKind::VmRebuild:
    case CommandKind::VmResetSystem:
      act.image = f_.text("image");
      break;
    case CommandKind::VmRename:
      act.args.name = f_.text("name", {.required = true});
      break;
    case CommandKind::VmMigrate:
      act.args.host = f_.text("host");
      break;
    case CommandKind::VmSnapshotCreate:
      act.args.snapshot = f_.text("name", {.required = true});
      act.args.description = f_.text("description");
      act.args.with_memory = f_.flag("with_memory");
      break;
    case CommandKind::VmSnapshotRestore:
    case CommandKind::VmSnapshotDelete:
      act.args.snapshot = f_.text("name", {.required = true});
      break;
    case CommandKind::ImageCapture:
      act.args.name = f_.text("name", {.required = true});
      act.args.description = f_.text("description");
      act.new_image = domain::ImageId(new_id());
      break;
    default:
      guest_arguments(act);
      break;
  }
}

void Arguments::guest_arguments(domain::ActOnVm& act) {
  constexpr std::uint64_t kMostMegabytes = (std::uint64_t{1} << 20U) - 1;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50U;
  constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20U;
  const auto number = [&](std::string_view name, std::uint64_t least, std::uint64_t most) {
    return f_.number(name, least, most, true).value_or(least);
  };
  domain::GuestChange change;
  switch (act.kind) {
    case CommandKind::VmSetCores:
      change.cores = static_cast<std::uint32_t>(number("vcpus", 1, 4096));
      break;
    case CommandKind::VmSetMemory:
      change.memory = number("memory_mb", 1, kMostMegabytes);
      break;
    case CommandKind::VmDiskResize:
      change.disk_size = number("size_bytes", kMegabyte, kMostBytes);
      [[fallthrough]];
    case CommandKind::VmDiskShrink:
      change.disk = static_cast<std::uint32_t>(number("disk", 0, 1000));
      break;
    case CommandKind::VmSetAutoStart:
      change.auto_start = f_.flag("enabled");
      break;
    case CommandKind::VmMediaInsert:
      change.media = domain::ImageId(f_.id("image", true).value_or(base::Uuid()));
      break;
    case CommandKind::VmMediaEject:
      break;
    default:
      return;
  }
  act.args.guest = std::move(change);
}

// ---- many

void Arguments::open_batch(CommandKind kind) {
  domain::OpenBatch batch;
  batch.kind = kind;
  batch.lenient = f_.flag("lenient");
  const auto list = f_.member("commands");
  const auto pattern = f_.member("template");
  const auto count = f_.number("count", 1, kMaxBatchItems, pattern.has_value());
  if (list && pattern) {
    f_.errors().add(f_.pointer("template"), "conflict", "give commands or a template, not both");
  } else if (list) {
    add_commands(batch, *list);
  } else if (pattern) {
    add_copies(batch, *pattern, count.value_or(0));
  } else {
    f_.require("commands");
  }
  out_.body = std::move(batch);
}

void Arguments::add_commands(domain::OpenBatch& batch, const JsonValue& list) {
  const std::string where = f_.pointer("commands");
  if (!list.is_array()) {
    f_.errors().add(where, "wrong-type", "must be a list");
    return;
  }
  if (list.size() == 0 || list.size() > kMaxBatchItems) {
    f_.errors().add_limit(where, fmt::format("a batch has 1 to {} commands", kMaxBatchItems));
    return;
  }
  batch.items.reserve(list.size());
  for (base::JsonArrayIterator it(list); it; ++it) {
    auto item = command_item(it.value(), fmt::format("{}/{}", where, batch.items.size()));
    if (!item) return;
    batch.items.push_back({domain::TaskId(new_id()), std::move(*item)});
  }
}

// A template is a command, or the arguments of vm.create. "{n}" in a name is the item's number from
// 1; without it, "-1", "-2", ... are appended.
void Arguments::add_copies(domain::OpenBatch& batch, const JsonValue& pattern,
                           std::uint64_t count) {
  batch.items.reserve(count);
  for (std::uint64_t n = 1; n <= count && f_.errors().empty(); ++n) {
    auto item = command_item(pattern, f_.pointer("template"));
    if (!item) return;
    if (auto* create = std::get_if<domain::CreateVm>(&*item)) {
      const std::size_t mark = create->name.find("{n}");
      if (mark != std::string::npos) {
        create->name.replace(mark, 3, fmt::to_string(n));
      } else {
        create->name += fmt::format("-{}", n);
      }
    }
    batch.items.push_back({domain::TaskId(new_id()), std::move(*item)});
  }
}

// The others have routes of their own, here or in the dialects that know them.
bool for_clients(CommandKind kind) {
  switch (kind) {
    case CommandKind::BatchTaskCancel:
    case CommandKind::BatchTaskRedrive:
    case CommandKind::VmSetQos:
    case CommandKind::VmSetCredential:
      return false;
    case CommandKind::HostSetAlive:
    case CommandKind::VmAssign:
    case CommandKind::VmRelease:
    case CommandKind::BackendRegister:
      return true;
    default:
      return kind < CommandKind::SystemInitialize ||
             (kind >= CommandKind::VmSetCores && kind <= CommandKind::VmMediaEject);
  }
}

bool may_be_item(CommandKind kind) {
  return kind <= CommandKind::ImageDelete || kind == CommandKind::TaskCancel ||
         (kind >= CommandKind::VmSetCores && for_clients(kind));
}

std::optional<domain::ItemBody> Arguments::command_item(const JsonValue& json,
                                                        const std::string& pointer) {
  const auto command = json.find("command");
  const bool bare = json.is_object() && !command;  // the arguments of vm.create
  FieldReader fields(json, pointer, f_.errors());
  auto kind = std::optional(CommandKind::VmCreate);
  if (!bare) {
    const std::string name = fields.text("command", {.required = true});
    kind = base::enum_from_name<CommandKind>(name);
    if (!kind || !may_be_item(*kind)) {
      f_.errors().add(pointer + "/command", "unknown-command",
                      fmt::format("'{}' cannot be an item of a batch", name.substr(0, 64)));
      return std::nullopt;
    }
  }
  const auto args_json = bare ? std::optional(json) : fields.member("args");
  if (!bare) fields.finish();
  FieldReader args(args_json, bare ? pointer : pointer + "/args", f_.errors());
  domain::ItemBody item = Arguments(args, out_, base::Uuid()).item(*kind);
  args.finish();
  return item;
}

domain::ItemBody Arguments::item(CommandKind kind) {
  if (kind == CommandKind::VmCreate) return create_vm();
  if (kind == CommandKind::ImageDelete) {
    return domain::DeleteImage{domain::ImageId(subject("image"))};
  }
  if (kind == CommandKind::TaskCancel) return domain::CancelTask{domain::TaskId(subject("task"))};
  return act_on_vm(kind);
}

// {"vms": [...]} and the arguments that all of them share.
void Arguments::batch_of_vms(CommandKind each) {
  domain::OpenBatch batch;
  batch.kind =
      each == CommandKind::VmDelete ? CommandKind::BatchVmDelete : CommandKind::BatchCommands;
  batch.lenient = f_.flag("lenient");
  const auto vms = f_.ids("vms", kMaxBatchItems);
  if (vms.empty() && f_.errors().empty()) f_.require("vms");
  domain::ActOnVm act;
  act.kind = each;
  act_arguments(act);
  for (const base::Uuid& vm : vms) {
    act.vm = domain::VmId(vm);
    if (each == CommandKind::ImageCapture) act.new_image = domain::ImageId(new_id());
    batch.items.push_back({domain::TaskId(new_id()), act});
  }
  out_.kind = batch.kind;
  out_.body = std::move(batch);
}

// ---- people

domain::Role Arguments::role() {
  const std::string name = f_.text("role", {.required = true});
  const auto role = base::enum_from_name<domain::Role>(name);
  if (!name.empty() && (!role || *role == domain::Role::None)) {
    f_.errors().add(f_.pointer("role"), "unknown-role", "must be viewer, operator or admin");
  }
  return role.value_or(domain::Role::None);
}

void Arguments::people(CommandKind kind) {
  switch (kind) {
    case CommandKind::UserCreate: {
      domain::CreateUser c;
      c.user.id = new_id();
      c.user.name = f_.text("name", {.required = true});
      c.user.tenant = f_.text("tenant", {.required = true});
      c.user.role = role();
      out_.password = base::Secret(f_.text("password", {.required = true}));
      out_.body = std::move(c);
      return;
    }
    case CommandKind::UserSetPassword: {
      domain::SetUserPassword c;
      c.user = f_.text("name", {.required = true});
      out_.password = base::Secret(f_.text("password", {.required = true}));
      out_.body = std::move(c);
      return;
    }
    case CommandKind::UserDelete:
      out_.body = domain::DeleteUser{f_.text("name", {.required = true})};
      return;
    case CommandKind::TokenDelete:
      out_.body = domain::DeleteToken{domain::TokenId(subject("token"))};
      return;
    case CommandKind::TokenCreate:
      access_token();
      return;
    default: {
      domain::SetQuota c;
      c.project = f_.text("project", {.required = true});
      c.quota.vms = f_.number("vms", 0, kMaxSize).value_or(0);
      c.quota.vcpus = f_.number("vcpus", 0, kMaxSize).value_or(0);
      c.quota.memory_mb = f_.number("memory_mb", 0, kMaxSize * 1000).value_or(0);
      c.quota.tasks_in_flight = f_.number("tasks_in_flight", 0, kMaxSize).value_or(0);
      out_.body = std::move(c);
    }
  }
}

domain::Backend Arguments::backend() {
  domain::Backend b;
  const auto one_of = [&](std::string_view name, std::string_view value, auto... allowed) {
    const std::string list = ((std::string(", ") + allowed) + ...).substr(2);
    if (!value.empty() && ((value != allowed) && ...)) {
      f_.errors().add(f_.pointer(name), "unknown-value", "must be one of " + list);
    }
  };
  b.name = f_.text("name", {.required = true, .max_bytes = 64});
  b.type = f_.text("type", {.required = true});
  one_of("type", b.type, "simulated", "openstack", "libvirt");
  if (std::string pool = f_.text("worker_pool"); !pool.empty()) b.worker_pool = std::move(pool);
  b.face = f_.text("face");
  const std::string policy = f_.text("policy");
  one_of("policy", policy, "report", "adopt", "repair");
  b.policy = base::enum_from_name<domain::ReconcilePolicy>(policy).value_or(
      domain::ReconcilePolicy::Report);
  b.tenant = f_.text("tenant");
  // libvirt has no scheduler: the core chooses the cell.
  b.places_hosts = b.type == "libvirt";
  return b;
}

void Arguments::access_token() {
  domain::CreateToken c;
  c.token.id = domain::TokenId(new_id());
  c.token.name = f_.text("name", {.required = true});
  c.token.tenant = f_.text("tenant");
  c.token.actor = f_.text("actor");
  c.token.role = role();
  c.token.expires_at = f_.time("expires_at");
  out_.body = std::move(c);
}

// ---- the envelope

void read_envelope(FieldReader& f, ParsedCommand& out) {
  out.not_before = f.time("not_before");
  out.deadline = f.time("deadline");
  // task.set_priority has a priority of its own among its arguments.
  if (out.kind != CommandKind::TaskSetPriority) {
    out.priority = static_cast<std::uint32_t>(f.number("priority", 0, 9).value_or(5));
  }
  for (const base::Uuid& id : f.ids("depends_on", 100)) out.depends_on.emplace_back(id);
  out.dry_run = f.flag("dry_run");
}

// "batch.vm.stop" and such: one command for a list of VMs.
std::optional<CommandKind> batch_of(std::string_view name) {
  constexpr std::string_view kBatch = "batch.";
  if (!name.starts_with(kBatch)) return std::nullopt;
  const auto each = base::enum_from_name<CommandKind>(name.substr(kBatch.size()));
  if (!each || *each <= CommandKind::VmCreate || *each > CommandKind::ImageCapture) {
    return std::nullopt;
  }
  return each;
}

base::Error unknown_command(std::string_view name) {
  std::vector<std::string_view> known;
  for (const std::string_view word : enum_names(CommandKind{})) known.push_back(word);
  const std::string detail = fmt::format("no command '{}'{}", name, did_you_mean(name, known));
  return {Errc::UnknownCommand, detail, {{"/command", "unknown-command", detail}}};
}

}  // namespace

base::Result<ParsedCommand> parse_command(const JsonValue& body) {
  FieldErrors errors;
  FieldReader fields(body, "", errors);
  ParsedCommand out;
  const std::string name = fields.text("command", {.required = true, .max_bytes = 64});
  if (!errors.empty()) return fail(errors.error());
  const auto kind = base::enum_from_name<CommandKind>(name);
  const auto each = batch_of(name);
  if ((!kind || !for_clients(*kind)) && !each) return fail(unknown_command(name));
  out.kind = kind.value_or(CommandKind::BatchCommands);
  const auto args_json = fields.member("args");
  read_envelope(fields, out);
  if (out.kind == CommandKind::TaskSetPriority && fields.member("priority")) {
    errors.add("/priority", "conflict", "stands among the args of this command");
  }
  fields.finish();
  FieldReader args(args_json, "/args", errors);
  Arguments arguments(args, out, base::Uuid());
  if (each) {
    arguments.batch_of_vms(*each);
  } else {
    arguments.parse(out.kind);
  }
  args.finish();
  if (!errors.empty()) return fail(errors.error());
  return out;
}

base::Result<ParsedCommand> parse_arguments(CommandKind kind, const std::optional<JsonValue>& body,
                                            const base::Uuid& subject) {
  FieldErrors errors;
  FieldReader fields(body, "", errors);
  ParsedCommand out;
  out.kind = kind;
  read_envelope(fields, out);
  Arguments(fields, out, subject).parse(kind);
  fields.finish();
  if (!errors.empty()) return fail(errors.error());
  return out;
}

bool needs_admin(CommandKind kind) {
  return (kind >= CommandKind::UserCreate && kind <= CommandKind::QuotaSet) ||
         kind == CommandKind::HostSetAlive || kind == CommandKind::BackendRegister;
}

}  // namespace slipway::api
