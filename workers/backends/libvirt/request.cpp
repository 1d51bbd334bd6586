#include "workers/backends/libvirt/request.hpp"

#include <fmt/format.h>

#include <array>

#include "core/base/fields.hpp"
#include "workers/backends/libvirt/names.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

Cell* Context::cell(std::string_view name) const {
  for (const auto& cell : cells) {
    if (cell->name() == name) return cell.get();
  }
  return nullptr;
}

std::string_view power_name(Power power) {
  constexpr std::array<std::string_view, 4> kNames = {"running", "paused", "stopped", "suspended"};
  return kNames[static_cast<std::size_t>(power)];
}

Power power_of(virDomainPtr domain) {
  int state = 0;
  checked(virDomainGetState(domain, &state, nullptr, 0), "read the VM's state");
  switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN:  // on its way down
      return Power::Running;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
      return Power::Paused;
    default:
      return virDomainHasManagedSaveImage(domain, 0) == 1 ? Power::Suspended : Power::Stopped;
  }
}

std::string Request::vm_key() const {
  if (call_.step == "vm.create") return call_.correlation_key();
  return order().vm_key;
}

// A snapshot's ref is "<uuid>/<name>".
std::string Request::uuid() const {
  for (const std::string* ref : {&call_.ref, &order().vm_ref}) {
    const std::string text = ref->substr(0, base::kUuidTextSize);
    if (base::parse_uuid(text)) return text;
  }
  const std::string key = vm_key();
  if (key.empty()) refuse(Errc::NotFound, "the VM is not known at this backend");
  return base::to_string(domain_uuid(key));
}

Cell& Request::home() const {
  Cell* cell = context_.cell(order().spec.host);
  if (cell == nullptr) {
    throw CallFailed{{.code = Errc::InvalidArgument,
                      .detail = fmt::format("the backend has no host '{}'", order().spec.host),
                      .without_effect = true}};
  }
  return *cell;
}

Located find_on(Cell& cell, const std::string& uuid) {
  Located at{.cell = &cell, .connection = cell.connection()};
  at.domain =
      owned_or_absent<Domain>(virDomainLookupByUUIDString(at.connection.get(), uuid.c_str()),
                              VIR_ERR_NO_DOMAIN, "find the VM");
  if (at.domain != nullptr) at.tag = read_tag(at.domain.get());
  return at;
}

Located Request::locate_on(Cell& cell) const { return find_on(cell, uuid()); }

Located Request::locate() const {
  std::vector<Cell*> cells;
  if (Cell* first = context_.cell(order().spec.host)) cells.push_back(first);
  for (const auto& cell : context_.cells) {
    if (cells.empty() || cell.get() != cells.front()) cells.push_back(cell.get());
  }
  std::optional<CallFailed> silent;
  for (Cell* cell : cells) {
    try {
      Located at = locate_on(*cell);
      if (at.domain != nullptr) return at;
    } catch (const CallFailed& failed) {
      if (!silent) silent = failed;
    }
  }
  if (silent) throw CallFailed(*silent);
  return {};
}

Located Request::take() const {
  Located vm = locate();
  if (vm.domain == nullptr) refuse(Errc::NotFound, "the VM is not there");
  check_fence(vm);
  return vm;
}

void Request::check_fence(Located& vm) const {
  if (!vm.is_ours() || order().fence == vm.tag.fence) return;
  if (order().fence < vm.tag.fence) {
    throw CallFailed{{.code = Errc::LeaseLost,
                      .detail = "a newer attempt has changed this VM",
                      .retryable = true,
                      .without_effect = true}};
  }
  may_change();
  vm.tag.fence = order().fence;
  write_tag(vm.domain.get(), vm.tag);
}

void Request::may_change() const {
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  if (call_.deadline == base::SteadyTime{} || now < call_.deadline) return;
  throw CallFailed{{.code = Errc::DeadlineExceeded,
                    .detail = "the call's time was up before it was done",
                    .retryable = true}};
}

void Request::mark_done(Located& vm) const {
  if (!vm.is_ours()) return;
  vm.tag.done = call_.correlation_key();
  write_tag(vm.domain.get(), vm.tag);
}

BackendAnswer Request::done(std::string ref) const {
  BackendAnswer answer;
  answer.ref = std::move(ref);
  return answer;
}

BackendAnswer Request::done(const Located& vm) const {
  const SeenDomain seen = read_domain(live_xml(vm.domain.get()));
  domain::VmFacts facts;
  facts.host = vm.cell->name();
  facts.mac = seen.mac;
  facts.display = display_of(*vm.cell, seen);
  base::JsonWriter json;
  base::write_json(json, facts);
  BackendAnswer answer = done();
  answer.result.text = json.text();
  return answer;
}

BackendAnswer Request::not_yet(base::Duration pause) {
  BackendAnswer answer;
  answer.kind = BackendAnswer::Kind::NotYet;
  answer.ask_again_after = pause;
  return answer;
}

std::string display_of(Cell& cell, const SeenDomain& seen) {
  if (seen.vnc_port <= 0) return {};
  const std::string& address = cell.options().address;
  return fmt::format("{}:{}", address.empty() ? cell.host_name() : address, seen.vnc_port);
}

std::string live_xml(virDomainPtr domain) {
  return text_of(virDomainGetXMLDesc(domain, 0), "read the VM");
}

std::string stored_xml(virDomainPtr domain) {
  return text_of(virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE),
                 "read the VM");
}

}  // namespace slipway::workers::libvirt
