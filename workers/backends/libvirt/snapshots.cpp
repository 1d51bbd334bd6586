// Snapshots within the VM's disks, libvirt's "internal" ones: with the memory of one that runs.
// Their names are the user's; which step made one is the last line of its description.
#include <fmt/format.h>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

DomainSnapshot find_snapshot(const Located& vm, const std::string& name) {
  return owned_or_absent<DomainSnapshot>(
      virDomainSnapshotLookupByName(vm.domain.get(), name.c_str(), 0), VIR_ERR_NO_DOMAIN_SNAPSHOT,
      "find the snapshot");
}

std::string marker(const Request& r) { return fmt::format("[{}]", r.call().correlation_key()); }

bool made_by(const Request& r, virDomainSnapshotPtr snapshot) {
  pugi::xml_document document;
  parse(document, text_of(virDomainSnapshotGetXMLDesc(snapshot, 0), "read the snapshot"));
  const std::string_view text = document.document_element().child_value("description");
  return text.ends_with(marker(r));
}

std::string snapshot_xml(const Request& r) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("domainsnapshot");
  root.append_child("name").text().set(r.order().args.snapshot.c_str());
  const std::string& text = r.order().args.description;
  const std::string description = text.empty() ? marker(r) : text + "\n" + marker(r);
  root.append_child("description").text().set(description.c_str());
  return print(document);
}

std::string ref_of(const Request& r) {
  return fmt::format("{}/{}", r.uuid(), r.order().args.snapshot);
}

}  // namespace

// libvirt makes it a child of the one that is current.
BackendAnswer create_snapshot(const Request& r) {
  const Located vm = r.take();
  if (const DomainSnapshot known = find_snapshot(vm, r.order().args.snapshot)) {
    if (made_by(r, known.get())) return r.done(ref_of(r));
    throw CallFailed{{.code = Errc::NameTaken,
                      .detail = "the VM has a snapshot of that name",
                      .without_effect = true}};
  }
  r.may_change();
  owned<DomainSnapshot>(virDomainSnapshotCreateXML(vm.domain.get(), snapshot_xml(r).c_str(), 0),
                        "take the snapshot");
  return r.done(ref_of(r));
}

BackendAnswer restore_snapshot(const Request& r) {
  const Located vm = r.take();
  const DomainSnapshot snapshot = find_snapshot(vm, r.order().args.snapshot);
  if (snapshot == nullptr) refuse(Errc::NotFound, "no such snapshot");
  const Power before = power_of(vm.domain.get());
  r.may_change();
  if (virDomainRevertToSnapshot(snapshot.get(), VIR_DOMAIN_SNAPSHOT_REVERT_FORCE) < 0) {
    try {
      fail_call("go back to the snapshot");
    } catch (CallFailed& failed) {
      // It has been seen to switch the VM off and say nothing.
      const Power after = power_of(vm.domain.get());
      if (after != before) failed.error.detail += fmt::format("; the VM is {}", power_name(after));
      throw;
    }
  }
  // The tag went back with the definition.
  if (vm.is_ours()) write_tag(vm.domain.get(), vm.tag);
  return r.done(vm);
}

// Its children become its parent's. An undo takes away only what its own step made.
BackendAnswer delete_snapshot(const Request& r) {
  const Located vm = r.locate();
  if (vm.domain == nullptr) return r.done();
  const DomainSnapshot snapshot = find_snapshot(vm, r.order().args.snapshot);
  if (snapshot == nullptr || (r.call().undo && !made_by(r, snapshot.get()))) return r.done();
  r.take();
  r.may_change();
  if (virDomainSnapshotDelete(snapshot.get(), 0) < 0 &&
      last_error() != VIR_ERR_NO_DOMAIN_SNAPSHOT) {
    fail_call("delete the snapshot");
  }
  return r.done();
}

bool has_snapshot(const Request& r, const Located& vm) {
  const DomainSnapshot snapshot = find_snapshot(vm, r.order().args.snapshot);
  return snapshot != nullptr && made_by(r, snapshot.get());
}

}  // namespace slipway::workers::libvirt
