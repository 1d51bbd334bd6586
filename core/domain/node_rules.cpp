#include "core/domain/node_rules.hpp"

#include <fmt/format.h>

#include "core/domain/inner_task.hpp"

namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;
using base::Status;

// The VM, if the caller may give it away; an assignment waits for no task of the VM's, but what is
// about to go is given to nobody.
base::Result<const Vm*> find_vm(const Draft& draft, const Command& command, const VmId& id) {
  const Vm* vm = draft.world.vm(id);
  if (vm == nullptr || !command.caller.owns(vm->tenant)) {
    return fail(Errc::NotFound, fmt::format("no VM {}", base::to_string(id)));
  }
  if (command.if_match && *command.if_match != vm->version) {
    return fail(Errc::VersionMismatch,
                fmt::format("the VM is at version {}, not {}", vm->version, *command.if_match));
  }
  return vm;
}

ResourceRef resource(const Vm& vm) { return {StreamKind::Vm, vm.id, vm.spec.name}; }

}  // namespace

Status decide_on(Draft& draft, const Command& command, const AssignVm& c) {
  const auto vm = find_vm(draft, command, c.vm);
  if (!vm) return fail(vm.error());
  if (c.user.empty()) return fail(Errc::UnprocessableArgument, "an assignment needs a user");
  if ((*vm)->state == VmState::Deleting) {
    return fail(Errc::IllegalTransition, "the VM is being deleted");
  }
  const NodeBook& book = draft.world.nodes();
  if (const Assignment* given = book.assignment(c.vm)) {
    return fail(Errc::ResourceBusy, fmt::format("the VM is assigned to {}", given->user));
  }
  add_done_task(draft, command, resource(**vm));
  draft.add(StreamKind::Vm, c.vm, VmAssigned{book.next_assignment_number(), c.user, c.vm_type});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const ReleaseVm& c) {
  const auto vm = find_vm(draft, command, c.vm);
  if (!vm) return fail(vm.error());
  if (draft.world.nodes().assignment(c.vm) == nullptr) {
    return fail(Errc::IllegalTransition, "the VM is assigned to nobody");
  }
  add_done_task(draft, command, resource(**vm));
  draft.add(StreamKind::Vm, c.vm, VmReleased{});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const RegisterBackend& c) {
  const Backend& backend = c.backend;
  if (backend.name.empty()) return fail(Errc::UnprocessableArgument, "a cloud needs a name");
  // One that is there may get other settings, but not become another kind of cloud.
  const Backend* known = draft.world.backend(backend.name);
  if (known != nullptr &&
      (known->type != backend.type || known->face != backend.face || *known == backend)) {
    return fail(Errc::NameTaken, fmt::format("there is a cloud '{}'", backend.name));
  }
  if (command.caller.tenant != backend.name) {
    return fail(Errc::Forbidden, "a cloud is registered in its own name");
  }
  const CloudFace* face = find_face(backend.face);
  if (face == nullptr && !backend.face.empty()) {
    return fail(Errc::UnprocessableArgument, fmt::format("no face '{}'", backend.face));
  }
  draft.add(StreamKind::Backend, backend.name, BackendRegistered{backend});
  if (face == nullptr || known != nullptr) return {};
  for (const FaceNode& node : face->first_nodes) {
    const VmId id = first_node_id(backend.name, node.number);
    draft.add(StreamKind::Vm, id, VmRequested{first_node_spec(*face, node, backend.name), {}});
    draft.add(StreamKind::Vm, id, VmLaunched{fmt::format("sim-{}", node.number)});
  }
  return {};
}

const CloudFace* face_of(const World& world, std::string_view backend) {
  const Backend* found = world.backend(backend);
  return found == nullptr ? nullptr : find_face(found->face);
}

std::optional<Size> size_on(const World& world, std::string_view backend, std::string_view flavor) {
  if (const CloudFace* face = face_of(world, backend)) {
    const FaceSize* own = face->size(flavor);
    return own == nullptr ? std::nullopt : std::optional(own->size());
  }
  const Flavor* f = world.flavor(flavor);
  if (f == nullptr) return std::nullopt;
  return Size{f->id, f->vcpus, f->memory_mb, f->disk_gb};
}

bool has_own_image(const World& world, std::string_view backend, std::string_view image) {
  const CloudFace* face = face_of(world, backend);
  return face != nullptr && face->image(image) != nullptr;
}

Status give_number(Draft& draft, VmSpec& spec) {
  const CloudFace* face = face_of(draft.world, spec.backend);
  if (face == nullptr) return {};
  const std::uint64_t number =
      draft.world.nodes().last_number(spec.backend) + ++draft.numbers_given[spec.backend];
  if (number > face->last_number) {
    return fail(Errc::CapacityExhausted, "the cloud has no number left for another node");
  }
  spec.number = number;
  spec.name = face->node_name(number);
  spec.ipv4 = face->network_ipv4 + static_cast<std::uint32_t>(number);
  return {};
}

}  // namespace slipway::domain
