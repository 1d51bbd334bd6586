#pragma once
// What the live state knows of clouds and nodes beyond the VMs themselves: which cloud came first,
// the numbers that clouds have given to their nodes, and to whom VMs are assigned. A member of
// World, folded by the same events.
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/domain/assignment_events.hpp"

namespace slipway::domain {

struct Assignment {
  VmId vm;
  std::uint64_t number = 0;
  std::string user;
  std::string vm_type;
  bool operator==(const Assignment&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vm", s.vm);
    v("number", s.number);
    v("user", s.user);
    v("vm_type", s.vm_type);
  }
};

class NodeBook {
 public:
  // ---- look-ups ----
  // nullptr: it is nobody's.
  const Assignment* assignment(const VmId& vm) const;
  std::uint64_t next_assignment_number() const { return last_assignment_ + 1; }
  // The highest number that a node of this cloud has ever had; 0 for none.
  std::uint64_t last_number(const std::string& backend) const;
  // The cloud of whoever names none: the one that was registered first. Empty: there is none.
  const std::string& default_backend() const { return default_backend_; }

  // ---- folding ----
  void on_registered(const std::string& backend);
  void on_requested(const VmSpec& spec);
  void on_deleted(const VmId& vm) { assignments_.erase(vm); }
  void fold(const VmId& vm, const VmAssigned& e);
  void fold(const VmId& vm, const VmReleased&) { assignments_.erase(vm); }

  // ---- snapshots ----
  struct Rest {  // what is not an assignment
    std::string default_backend;
    std::map<std::string, std::uint64_t> last_numbers;
    std::uint64_t last_assignment = 0;
    template <class S, class V>
    static void fields(S& s, V& v) {
      v("default_backend", s.default_backend);
      v("last_numbers", s.last_numbers);
      v("last_assignment", s.last_assignment);
    }
  };
  Rest rest() const { return {default_backend_, last_numbers_, last_assignment_}; }
  template <class F>
  void each_assignment(F&& f) const {
    for (const auto& [vm, assignment] : assignments_) f(assignment);
  }
  void restore(Rest rest);
  void restore(Assignment assignment);
  void dump_for_test(const std::function<void(std::string)>& line) const;

 private:
  std::string default_backend_;
  std::map<std::string, std::uint64_t> last_numbers_;
  std::uint64_t last_assignment_ = 0;
  boost::unordered_flat_map<VmId, Assignment, base::UuidHash> assignments_;
};

}  // namespace slipway::domain
