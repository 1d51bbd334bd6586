#pragma once
// stats_hourly, stats_tasks, usage and minutes: everything that is a sum over events. All of it is
// exact by the events' own times, in whatever order these come.
#include <map>
#include <tuple>
#include <unordered_map>

#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/sqlite.hpp"
#include "eventstore/projections/tallies.hpp"

namespace slipway::eventstore {

inline constexpr std::int64_t kHourUs = 3600LL * 1000000;
inline std::int64_t hour_of(base::Time t) {
  return std::chrono::floor<std::chrono::hours>(t).time_since_epoch().count();
}
inline std::int64_t minute_of(base::Time t) {
  return std::chrono::floor<std::chrono::minutes>(t).time_since_epoch().count();
}

enum class UsageKind : std::uint8_t { Host, Project };
constexpr std::array<std::string_view, 2> enum_names(UsageKind) { return {"host", "project"}; }

class StatsFold {
 public:
  explicit StatsFold(Database& db);

  // A VM begins (+1) or ceases (-1) to exist.
  void vm_exists(std::string_view tenant, base::Time at, int sign);
  void use(UsageKind kind, std::string_view name, const domain::Size& size, int sign);
  void task_in_flight(std::string_view tenant, int sign);
  void task_finished(std::string_view tenant, base::Time at, domain::CommandKind,
                     domain::TaskState outcome, base::Duration since_acceptance);
  void task_waited(std::string_view tenant, base::Time at, domain::CommandKind,
                   base::Duration ready_to_leased);
  void record(base::Time at, domain::Seq first, domain::Seq last);

  void flush();

 private:
  struct Hour {
    std::int64_t existing = 0;
    std::int64_t created = 0;
    std::int64_t deleted = 0;
    std::int64_t vm_us = 0;
  };
  using HourKey = std::pair<Label, std::int64_t>;  // tenant, hour
  Hour& hour(const HourKey& key);
  std::int64_t existing_before(std::map<HourKey, Hour>::const_iterator hour);
  std::int64_t last_hour(Label tenant);
  void change_later_hours(Label tenant, std::int64_t hour, int sign);
  void flush_hours();
  void flush_usage();
  void flush_tasks();

  struct Used {
    std::int64_t vms = 0, vcpus = 0, memory_mb = 0, disk_gb = 0, tasks = 0;
    bool operator==(const Used&) const = default;
  };
  struct Flow {
    std::int64_t n = 0;
    std::int64_t sum_us = 0;
  };
  // tenant, hour, waited?, command, outcome
  using FlowKey = std::tuple<Label, std::int64_t, bool, domain::CommandKind, domain::TaskState>;

  Labels labels_;                  // tenants and hosts
  std::map<HourKey, Hour> hours_;  // changed in this lot
  std::unordered_map<Label, std::int64_t> last_hours_;
  std::map<std::pair<UsageKind, Label>, Used> used_;
  std::map<FlowKey, Flow> flows_;
  std::map<std::int64_t, std::pair<domain::Seq, domain::Seq>> minutes_;

  Statement select_hour_, select_before_, select_last_, later_hours_, upsert_hour_;
  Statement add_usage_, erase_usage_, add_flow_, add_minute_;
};

}  // namespace slipway::eventstore
