// What a worker looks at in a cloud without a task: nothing is leased, kept or sent again. Lists of
// all there is, sent in pages, for reconciliation; and what clients ask of one VM.
#include <algorithm>
#include <array>
#include <iterator>

#include "workers/worker_core.hpp"

namespace slipway::workers {
namespace {

constexpr std::size_t kThingsPerPage = 300;  // well below the largest message
constexpr base::Duration kListingTime = std::chrono::minutes(5);
constexpr base::Duration kInspectionTime = std::chrono::seconds(15);
constexpr std::size_t kMaxInspections = 64;
constexpr std::array<std::string_view, 2> kInspections = {"vm.console_open", "vm.stats"};

// Moves up to `room` things over; what is left of the room.
template <class T>
std::size_t take_some(std::vector<T>& from, std::vector<T>& to, std::size_t room) {
  const auto n = static_cast<std::ptrdiff_t>(std::min(room, from.size()));
  to.assign(std::move_iterator(from.end() - n), std::move_iterator(from.end()));
  from.resize(from.size() - static_cast<std::size_t>(n));
  return room - static_cast<std::size_t>(n);
}

domain::Inventory next_page(domain::Inventory& all) {
  domain::Inventory page;
  std::size_t room = kThingsPerPage;
  // Networks and images first: VMs refer to them.
  room = take_some(all.hosts, page.hosts, room);
  room = take_some(all.silent_hosts, page.silent_hosts, room);
  room = take_some(all.flavors, page.flavors, room);
  room = take_some(all.networks, page.networks, room);
  room = take_some(all.images, page.images, room);
  room = take_some(all.vms, page.vms, room);
  take_some(all.parts, page.parts, room);
  return page;
}

bool is_empty(const domain::Inventory& i) {
  return i.vms.empty() && i.parts.empty() && i.images.empty() && i.flavors.empty() &&
         i.networks.empty() && i.hosts.empty() && i.silent_hosts.empty();
}

}  // namespace

void WorkerCore::on(domain::TakeInventory&& asked) {
  const auto found = backends_.find(asked.backend);
  if (found == backends_.end() || found->second.taking_inventory) return;
  Target& target = found->second;
  target.taking_inventory = true;
  const InventoryCall call{asked.installation, steady_ + kListingTime};
  target.backend->inventory(call, [this, &target, asked](BackendAnswer&& answer) {
    if (answer.kind == BackendAnswer::Kind::Progress) return;
    target.taking_inventory = false;
    send_inventory(asked, std::move(answer));
  });
}

void WorkerCore::send_inventory(const domain::TakeInventory& asked, BackendAnswer&& answer) {
  domain::InventoryPage page;
  page.session = options_.session;
  page.backend = asked.backend;
  page.run = asked.run;
  if (answer.kind != BackendAnswer::Kind::Done || answer.inventory == nullptr) {
    page.error = answer.error.detail.empty() ? "no list" : answer.error.detail;
    page.last = true;
    send_(page);
    return;
  }
  domain::Inventory& all = *answer.inventory;
  do {
    page.inventory = next_page(all);
    page.last = is_empty(all);
    send_(page);
    ++page.page;
  } while (!page.last);
}

void WorkerCore::on(domain::InspectVm&& asked) {
  const std::uint64_t number = asked.inspection;
  const auto operation = std::find(kInspections.begin(), kInspections.end(), asked.operation);
  const auto found = backends_.find(asked.order.backend);
  if (operation == kInspections.end() || found == backends_.end()) {
    return send_inspection(number, BackendAnswer::failed({.code = base::Errc::UnknownCommand,
                                                          .detail = "the worker cannot tell"}));
  }
  if (inspections_ >= kMaxInspections) {
    return send_inspection(number, BackendAnswer::failed({.code = base::Errc::RateLimited,
                                                          .detail = "too many are under way"}));
  }
  auto work = std::make_shared<LeasedWork>();
  work->order = std::move(asked.order);
  BackendCall call;
  call.step = call.operation = *operation;
  call.ref = work->order.vm_ref;
  call.deadline = steady_ + std::min(kInspectionTime, found->second.backend->call_timeout());
  call.work = std::move(work);
  ++inspections_;
  found->second.backend->perform(call, [this, number](BackendAnswer&& answer) {
    if (answer.kind == BackendAnswer::Kind::Progress) return;
    --inspections_;
    send_inspection(number, std::move(answer));
  });
}

void WorkerCore::send_inspection(std::uint64_t inspection, BackendAnswer&& answer) {
  domain::VmInspection out;
  out.session = options_.session;
  out.inspection = inspection;
  if (answer.kind == BackendAnswer::Kind::Done) {
    out.result = std::move(answer.result);
  } else {
    const bool unknown = answer.error.code == base::Errc::UnknownCommand;
    out.error = base::errc_name(unknown ? base::Errc::BackendRefused : answer.error.code);
    out.detail = answer.error.detail.empty() ? "the backend has no answer" : answer.error.detail;
  }
  send_(out);
}

}  // namespace slipway::workers
