#include "api/dialects/perspective/bulk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/submit.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api::perspective {
namespace {

using base::Errc;
using base::fail;
using domain::CommandKind;
using domain::OpenBatch;

template <class Body>
void add(OpenBatch& batch, Body body) {
  domain::BatchItem& item = batch.items.emplace_back();
  item.task = domain::TaskId(new_id());
  item.body = std::move(body);
}

OpenBatch lenient(CommandKind kind) {
  OpenBatch batch;
  batch.kind = kind;
  batch.lenient = true;
  return batch;
}

// The VM of that id that the scope has; nullopt for one that is unknown or deleted.
base::Result<std::optional<eventstore::VmRow>> find_vm(eventstore::Reader& reader,
                                                       const eventstore::Scope& scope,
                                                       std::string_view text) {
  const auto id = base::parse_uuid(text);
  if (!id) return std::optional<eventstore::VmRow>();
  auto row = reader.get_vm(scope, domain::VmId(*id));
  if (!row) return fail(row.error());
  if (row->value && row->value->state == domain::VmState::Deleted) row->value.reset();
  return std::move(row->value);
}

// Calls `make(row, entry)` for each entry whose VM is there, the first of each id.
template <class Entry, class IdOf, class Make>
base::Status for_each_vm(eventstore::Reader& reader, const eventstore::Scope& scope,
                         const std::vector<Entry>& entries, IdOf id_of, Make make) {
  std::set<domain::VmId> seen;
  for (const Entry& entry : entries) {
    auto vm = find_vm(reader, scope, id_of(entry));
    if (!vm) return fail(vm.error());
    if (*vm && seen.insert((*vm)->id).second) make(**vm, entry);
  }
  return {};
}

}  // namespace

base::Result<OpenBatch> on_instances(eventstore::Reader& reader, const eventstore::Scope& scope,
                                     const Ids& ids, const domain::ActOnVm& act) {
  OpenBatch batch = lenient(act.kind == CommandKind::VmDelete ? CommandKind::BatchVmDelete
                                                              : CommandKind::BatchCommands);
  const auto status = for_each_vm(
      reader, scope, ids, [](const std::string& id) { return std::string_view(id); },
      [&](const eventstore::VmRow& vm, const std::string&) {
        domain::ActOnVm one = act;
        one.vm = vm.id;
        const bool paused = vm.state == domain::VmState::Paused;
        if (act.kind == CommandKind::VmResume && paused) one.kind = CommandKind::VmUnpause;
        add(batch, std::move(one));
      });
  if (!status) return fail(status.error());
  return batch;
}

base::Result<OpenBatch> rename_instances(eventstore::Reader& reader, const eventstore::Scope& scope,
                                         const Names& names) {
  OpenBatch batch = lenient(CommandKind::BatchCommands);
  const auto status = for_each_vm(
      reader, scope, names, [](const auto& entry) { return std::string_view(entry.first); },
      [&](const eventstore::VmRow& vm, const auto& entry) {
        domain::ActOnVm act;
        act.kind = CommandKind::VmRename;
        act.vm = vm.id;
        act.args.name = entry.second;
        add(batch, std::move(act));
      });
  if (!status) return fail(status.error());
  return batch;
}

base::Result<OpenBatch> capture_images(eventstore::Reader& reader, const eventstore::Scope& scope,
                                       const std::vector<NewImage>& images) {
  OpenBatch batch = lenient(CommandKind::BatchCommands);
  // Several images of one VM are several captures; the second fails while the first runs.
  for (const NewImage& image : images) {
    auto vm = find_vm(reader, scope, image.instance);
    if (!vm) return fail(vm.error());
    if (!*vm) continue;
    domain::ActOnVm act;
    act.kind = CommandKind::ImageCapture;
    act.vm = (*vm)->id;
    act.args.name = image.name;
    act.new_image = domain::ImageId(new_id());
    add(batch, std::move(act));
  }
  return batch;
}

base::Result<OpenBatch> delete_images(eventstore::Reader& reader, const eventstore::Scope& scope,
                                      const Ids& ids) {
  OpenBatch batch = lenient(CommandKind::BatchCommands);
  std::set<base::Uuid> seen;
  for (const std::string& text : ids) {
    const auto id = base::parse_uuid(text);
    if (!id || !seen.insert(*id).second) continue;
    const auto row = reader.get_image(scope, domain::ImageId(*id));
    if (!row) return fail(row.error());
    if (row->value) add(batch, domain::DeleteImage{row->value->image.id});
  }
  return batch;
}

OpenBatch create_instances(std::vector<domain::CreateVm> vms) {
  OpenBatch batch = lenient(CommandKind::BatchVmCreate);
  for (domain::CreateVm& vm : vms) {
    vm.vm = domain::VmId(new_id());
    add(batch, std::move(vm));
  }
  return batch;
}

}  // namespace slipway::api::perspective
