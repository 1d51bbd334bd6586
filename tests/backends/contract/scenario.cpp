#include "tests/backends/contract/scenario.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/base/fields.hpp"
#include "core/domain/plan.hpp"

namespace slipway::workers::contract {

using domain::CommandKind;
using domain::OutcomeKind;
using domain::VmState;
using domain::WorkOrder;
using enum domain::CommandKind;

namespace {

constexpr std::array kRest{VmState::Running, VmState::Stopped, VmState::Paused, VmState::Suspended};

std::string word_of(VmState state) {
  std::string word(base::enum_name(state));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  return word;
}

// Which parts of its size a command changes.
domain::Size size_after(CommandKind command, const Offer& offer) {
  domain::Size size = offer.small;
  if (command == VmResize) return offer.large;
  if (command == VmSetCores) size.vcpus = offer.large.vcpus;
  if (command == VmSetMemory) size.memory_mb = offer.large.memory_mb;
  if (command == VmDiskResize) size.disk_gb = offer.large.disk_gb;
  return size;
}

// What decide would have worked out of a client's wish.
void add_guest_change(WorkOrder& order, const Offer& offer) {
  domain::GuestChange& change = order.args.guest.emplace();
  domain::GuestSpec& after = change.after.emplace();
  after = domain::guest_of(order.spec);
  switch (order.command) {
    case VmSetCores:
      change.cores = offer.large.vcpus;
      break;
    case VmSetMemory:
      change.memory = after.memory = offer.large.memory_mb;
      break;
    case VmDiskResize:
      change.disk = 0;
      change.disk_size = domain::kMegabytesPerGigabyte * offer.large.disk_gb;
      after.disks = {*change.disk_size};
      break;
    case VmDiskShrink:
      change.disk = 0;
      break;
    case VmSetAutoStart:
      change.auto_start = after.auto_start = true;
      break;
    case VmSetQos:
      change.qos_part = "disk";
      change.qos.emplace().read_iops = 1000;
      after.qos = change.qos;
      break;
    case VmSetCredential:
      change.admin_name = "root";
      [[fallthrough]];
    case VmConsoleResetSecret:
      change.secret = "secret";
      break;
    case VmMediaInsert:
      change.media = offer.media;
      after.media = offer.media;
      break;
    case VmMediaEject:
      after.media = {};
      break;
    default:
      order.args.guest.reset();
      break;
  }
}

}  // namespace

std::vector<CommandKind> worker_commands() {
  std::vector<CommandKind> all;
  for (std::size_t i = 0; i < enum_names(CommandKind{}).size(); ++i) {
    const auto command = static_cast<CommandKind>(i);
    const bool for_clients = !domain::is_orphan_delete(command);
    if (for_clients && domain::needs_worker(command)) all.push_back(command);
  }
  return all;
}

std::vector<VmState> states_for(CommandKind command, const CloudUnderTest& cloud) {
  const domain::VmRule* rule = domain::vm_rule(command);
  if (command == ImageDelete) return {VmState::Stopped};  // where its image is captured from
  if (rule == nullptr) return {VmState::Running};
  std::vector<VmState> out;
  for (const VmState state : kRest) {
    const bool allowed = (rule->allowed & domain::bit(state)) != 0;
    if (allowed && cloud.offers_from(command, state)) out.push_back(state);
  }
  return out;
}

std::string name_of(CommandKind command) {
  std::string name(base::enum_name(command));
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

Scenario::Scenario(CloudUnderTest& cloud, CommandKind command, std::optional<VmState> from)
    : cloud_(cloud),
      command_(command),
      from_(from.value_or(states_for(command, cloud).at(0))),
      offer_(cloud.offer()),
      rig_(cloud),
      vm_(rig_.next_vm()),
      image_(rig_.next_image()) {
  prepare();
  before_ = census();
  text_before_ = text();
}

void Scenario::prepare() {
  if (command_ == VmCreate) return;
  must(VmCreate);
  if (command_ == VmSnapshotRestore || command_ == VmSnapshotDelete) must(VmSnapshotCreate);
  if (command_ == VmMediaEject && cloud_.offers(VmMediaInsert)) must(VmMediaInsert);
  if (from_ == VmState::Stopped) must(VmStop);
  if (from_ == VmState::Paused) must(VmPause);
  if (from_ == VmState::Suspended) must(VmSuspend);
  if (command_ == ImageDelete) must(ImageCapture);
}

// What the suite needs first. The cloud must offer it, for else there is nothing to test.
void Scenario::must(CommandKind command) {
  const WorkOrder order = make(command);
  const domain::Outcome outcome = rig_.run(order);
  ASSERT_EQ(outcome.kind, OutcomeKind::Succeeded)
      << base::enum_name(command) << ": " << outcome.error.code << ": " << outcome.error.detail;
  if (command == VmCreate) {
    vm_ref_ = rig_.ref_of(order.task, "vm.create");
    vm_key_ = domain::correlation_key(order.task, "vm.create");
    spec_ = order.spec;
    domain::VmFacts facts;
    base::JsonParser parser;
    const auto json = parser.parse_trusted(outcome.result.text);
    if (!outcome.result.text.empty() && json) base::read_json(*json, facts);
    if (!facts.host.empty()) spec_.host = facts.host;
    if (!facts.ipv4.empty()) spec_.ipv4 = domain::parse_ipv4(facts.ipv4).value_or(0);
    ASSERT_FALSE(vm_ref_.empty());
  }
  if (command == ImageCapture) {
    image_ref_ = rig_.ref_of(order.task, "image.create");
    image_key_ = domain::correlation_key(order.task, "image.create");
    ASSERT_FALSE(image_ref_.empty());
  }
}

WorkOrder Scenario::order() { return make(command_); }

WorkOrder Scenario::make(CommandKind command) {
  WorkOrder order;
  order.task = rig_.next_task();
  order.token = 1;
  order.command = command;
  order.backend = rig_.backend_name();
  order.installation = cloud_.installation();
  order.vm = vm_;
  order.spec = spec_;
  if (command == VmCreate) {
    order.spec.name = "contract-web";
    order.spec.project = "demo";
    order.spec.size = offer_.small;
    order.spec.backend = order.backend;
    order.spec.host = offer_.host;
    order.spec.ipv4 = offer_.ipv4;
    order.spec.image = offer_.image;
  }
  order.image_ref = offer_.image_ref;
  order.image_name = offer_.image_name;
  order.network_ref = offer_.network_ref;
  order.network_name = offer_.network_name;
  add_subject(order);
  domain::ActionArgs& args = order.args;
  args.name = command == VmRename ? "contract-renamed" : "contract-image";
  args.host = command == VmMigrate ? offer_.other_host : "";
  args.live = from_ == VmState::Running;
  args.snapshot = "before";
  if (const domain::Size size = size_after(command, offer_); size != offer_.small) args.size = size;
  if (command == VmRebuild || command == VmResetSystem) {
    args.image = offer_.other_image;
    order.image_ref = offer_.other_image_ref;
    order.image_name = offer_.other_image_name;
  }
  add_guest_change(order, offer_);
  order.media_ref = offer_.media_ref;
  order.media_name = offer_.media_name;
  return order;
}

void Scenario::add_subject(WorkOrder& order) {
  const bool image = order.command == ImageCapture || order.command == ImageDelete;
  if (image) order.args.image = image_;
  if (order.command == ImageDelete) {
    order.image_ref = image_ref_;
    order.image_key = image_key_;
    order.vm = {};
    return;
  }
  if (order.command == VmCreate) return;
  order.vm_ref = vm_ref_;
  order.vm_key = vm_key_;
}

const CountedVm* Scenario::subject(const Census& census) const {
  const auto found = std::find_if(census.vms.begin(), census.vms.end(), [&](const CountedVm& vm) {
    return before_.vms.empty() || vm.key == before_.vms.front().key;
  });
  return found == census.vms.end() ? nullptr : &*found;
}

std::vector<std::string> Scenario::faults_of_effect() {
  const Census after = census();
  std::vector<std::string> out = faults_of(after);
  const auto expect = [&](bool so, std::string what) {
    if (!so) out.push_back(std::move(what));
  };
  const std::size_t images = (command_ == ImageCapture ? 1U : 0U);
  expect(after.images.size() == images, fmt::format("{} images", after.images.size()));
  expect(after.foreign == before_.foreign, "what is not ours was touched");
  if (command_ == VmDelete) {
    expect(after.vms.empty(), "the VM is still there");
    return out;
  }
  const CountedVm* vm = subject(after);
  expect(after.vms.size() == 1 && vm != nullptr, fmt::format("{} VMs", after.vms.size()));
  if (vm == nullptr) return out;
  const domain::VmRule* rule = domain::vm_rule(command_);
  const VmState state = rule != nullptr && rule->after ? *rule->after : from_;
  // A snapshot brings its own power back where it has one: these were made while the VM ran.
  const bool as_then = command_ == VmSnapshotRestore && vm->state == word_of(VmState::Running);
  expect(vm->state == word_of(state) || as_then, "the VM is " + vm->state);
  const domain::Size size = size_after(command_, offer_);
  expect(vm->vcpus == 0 || vm->vcpus == size.vcpus, fmt::format("{} vCPUs", vm->vcpus));
  expect(vm->memory_mb == 0 || vm->memory_mb == size.memory_mb,
         fmt::format("{} MB", vm->memory_mb));
  const std::string name = command_ == VmRename ? "contract-renamed" : "contract-web";
  expect(vm->name.empty() || vm->name == name, "its name is " + vm->name);
  const bool other_image = command_ == VmRebuild || command_ == VmResetSystem;
  const std::string& image = other_image ? offer_.other_image_ref : offer_.image_ref;
  expect(vm->image.empty() || vm->image == image, "its system is of " + vm->image);
  const bool snapshot = command_ == VmSnapshotCreate || command_ == VmSnapshotRestore;
  expect(vm->snapshots.size() == (snapshot ? 1U : 0U),
         fmt::format("it has {} snapshots", vm->snapshots.size()));
  const bool moved = !before_.vms.empty() && vm->host != before_.vms.front().host;
  const bool resized = offer_.resize_moves && size_after(command_, offer_) != offer_.small;
  expect(resized || moved == (command_ == VmMigrate), "its host is " + vm->host);
  const bool inserted = command_ == VmMediaInsert;
  expect(vm->media == (inserted ? offer_.media_ref : ""), "its medium is " + vm->media);
  return out;
}

}  // namespace slipway::workers::contract
