#include "core/domain/node_book.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::domain {

const Assignment* NodeBook::assignment(const VmId& vm) const {
  const auto it = assignments_.find(vm);
  return it == assignments_.end() ? nullptr : &it->second;
}

std::uint64_t NodeBook::last_number(const std::string& backend) const {
  const auto it = last_numbers_.find(backend);
  return it == last_numbers_.end() ? 0 : it->second;
}

void NodeBook::on_registered(const std::string& backend) {
  if (default_backend_.empty()) default_backend_ = backend;
}

void NodeBook::on_requested(const VmSpec& spec) {
  if (!spec.number) return;
  std::uint64_t& last = last_numbers_[spec.backend];
  last = std::max(last, *spec.number);
}

void NodeBook::fold(const VmId& vm, const VmAssigned& e) {
  assignments_[vm] = {vm, e.number, e.user, e.vm_type};
  last_assignment_ = std::max(last_assignment_, e.number);
}

void NodeBook::restore(Rest rest) {
  default_backend_ = std::move(rest.default_backend);
  last_numbers_ = std::move(rest.last_numbers);
  last_assignment_ = rest.last_assignment;
}

void NodeBook::restore(Assignment assignment) {
  const VmId vm = assignment.vm;
  assignments_[vm] = std::move(assignment);
}

void NodeBook::dump_for_test(const std::function<void(std::string)>& line) const {
  line(fmt::format("nodes: default cloud {}, last assignment {}", default_backend_,
                   last_assignment_));
  for (const auto& [backend, number] : last_numbers_) {
    line(fmt::format("last number {} {}", backend, number));
  }
  for (const auto& [vm, a] : assignments_) {
    line(fmt::format("assigned {} {} {} {}", base::to_string(vm), a.number, a.user, a.vm_type));
  }
}

}  // namespace slipway::domain
