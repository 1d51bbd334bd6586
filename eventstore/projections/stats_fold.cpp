#include "eventstore/projections/stats_fold.hpp"

#include <algorithm>
#include <limits>

namespace slipway::eventstore {
namespace {
constexpr std::int64_t kNoHour = std::numeric_limits<std::int64_t>::min();
}

StatsFold::StatsFold(Database& db)
    : select_hour_(db,
                   "SELECT vms_existing, vms_created, vms_deleted, vm_us FROM stats_hourly "
                   "WHERE tenant=? AND hour=?"),
      select_before_(db,
                     "SELECT vms_existing, hour FROM stats_hourly WHERE tenant=? AND hour<? "
                     "ORDER BY hour DESC LIMIT 1"),
      select_last_(db, "SELECT max(hour) FROM stats_hourly WHERE tenant=?"),
      later_hours_(db,
                   "UPDATE stats_hourly SET vms_existing=vms_existing+?1, vm_us=vm_us+?2 "
                   "WHERE tenant=?3 AND hour>?4"),
      upsert_hour_(db, "INSERT OR REPLACE INTO stats_hourly VALUES(?,?,?,?,?,?)"),
      add_usage_(db,
                 "INSERT INTO usage VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                 "vms=vms+excluded.vms, vcpus=vcpus+excluded.vcpus, "
                 "memory_mb=memory_mb+excluded.memory_mb, disk_gb=disk_gb+excluded.disk_gb, "
                 "tasks=tasks+excluded.tasks"),
      erase_usage_(db,
                   "DELETE FROM usage WHERE kind=? AND name=? AND vms=0 AND vcpus=0 AND "
                   "memory_mb=0 AND disk_gb=0 AND tasks=0"),
      add_flow_(db,
                "INSERT INTO stats_tasks VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "n=n+excluded.n, sum_us=sum_us+excluded.sum_us"),
      add_minute_(db,
                  "INSERT INTO minutes VALUES(?,?,?) ON CONFLICT DO UPDATE SET "
                  "first_seq=min(first_seq,excluded.first_seq), "
                  "last_seq=max(last_seq,excluded.last_seq)") {}

void StatsFold::vm_exists(std::string_view tenant, base::Time at, int sign) {
  const Label label = labels_.of(tenant);
  const std::int64_t at_hour = hour_of(at);
  if (last_hour(label) > at_hour) change_later_hours(label, at_hour, sign);
  Hour& h = hour({label, at_hour});
  h.existing += sign;
  (sign > 0 ? h.created : h.deleted) += 1;
  h.vm_us += sign * ((at_hour + 1) * kHourUs - base::to_us(at));
  last_hours_[label] = std::max(last_hours_[label], at_hour);
}

// The hour as it stands; one without a row begins with the count of the last before it.
StatsFold::Hour& StatsFold::hour(const HourKey& key) {
  const auto [it, fresh] = hours_.try_emplace(key);
  Hour& h = it->second;
  if (!fresh) return h;
  const std::string& tenant = labels_.text(key.first);
  select_hour_.bind_all(tenant, key.second);
  if (select_hour_.step()) {
    h = {select_hour_.integer(0), select_hour_.integer(1), select_hour_.integer(2),
         select_hour_.integer(3)};
  } else {
    h.existing = existing_before(it);
    h.vm_us = h.existing * kHourUs;
  }
  select_hour_.reset();
  return h;
}

std::int64_t StatsFold::existing_before(std::map<HourKey, Hour>::const_iterator hour) {
  select_before_.bind_all(labels_.text(hour->first.first), hour->first.second);
  std::int64_t at = kNoHour;
  std::int64_t existing = 0;
  if (select_before_.step()) {
    existing = select_before_.integer(0);
    at = select_before_.integer(1);
  }
  select_before_.reset();
  if (hour == hours_.begin()) return existing;
  const auto before = std::prev(hour);
  const bool nearer = before->first.first == hour->first.first && before->first.second >= at;
  return nearer ? before->second.existing : existing;
}

std::int64_t StatsFold::last_hour(Label tenant) {
  const auto [it, fresh] = last_hours_.try_emplace(tenant, kNoHour);
  if (fresh) {
    select_last_.bind_all(labels_.text(tenant));
    if (select_last_.step() && !select_last_.is_null(0)) it->second = select_last_.integer(0);
    select_last_.reset();
  }
  return it->second;
}

// The wall clock was set back: what happens now came before what is already counted.
void StatsFold::change_later_hours(Label tenant, std::int64_t hour, int sign) {
  flush_hours();
  later_hours_.run(sign, sign * kHourUs, labels_.text(tenant), hour);
}

void StatsFold::use(UsageKind kind, std::string_view name, const domain::Size& size, int sign) {
  if (name.empty()) return;
  Used& used = used_[{kind, labels_.of(name)}];
  used.vms += sign;
  used.vcpus += sign * static_cast<std::int64_t>(size.vcpus);
  used.memory_mb += sign * static_cast<std::int64_t>(size.memory_mb);
  used.disk_gb += sign * static_cast<std::int64_t>(size.disk_gb);
}

void StatsFold::task_in_flight(std::string_view tenant, int sign) {
  used_[{UsageKind::Project, labels_.of(tenant)}].tasks += sign;
}

void StatsFold::task_finished(std::string_view tenant, base::Time at, domain::CommandKind command,
                              domain::TaskState outcome, base::Duration since_acceptance) {
  Flow& flow = flows_[{labels_.of(tenant), hour_of(at), false, command, outcome}];
  flow.n += 1;
  flow.sum_us += since_acceptance.count();
}

void StatsFold::task_waited(std::string_view tenant, base::Time at, domain::CommandKind command,
                            base::Duration ready_to_leased) {
  Flow& flow = flows_[{labels_.of(tenant), hour_of(at), true, command, domain::TaskState::Running}];
  flow.n += 1;
  flow.sum_us += ready_to_leased.count();
}

void StatsFold::record(base::Time at, domain::Seq first, domain::Seq last) {
  const auto [it, fresh] = minutes_.try_emplace(minute_of(at), first, last);
  if (fresh) return;
  it->second.first = std::min(it->second.first, first);
  it->second.second = std::max(it->second.second, last);
}

void StatsFold::flush() {
  flush_hours();
  flush_usage();
  flush_tasks();
  for (const auto& [minute, range] : minutes_) add_minute_.run(minute, range.first, range.second);
  minutes_.clear();
}

void StatsFold::flush_hours() {
  for (const auto& [key, h] : hours_) {
    upsert_hour_.run(labels_.text(key.first), key.second, h.existing, h.created, h.deleted,
                     h.vm_us);
  }
  hours_.clear();
}

void StatsFold::flush_usage() {
  for (const auto& [key, used] : used_) {
    if (used == Used{}) continue;
    const auto kind = base::enum_name(key.first);
    const std::string& name = labels_.text(key.second);
    add_usage_.run(kind, name, used.vms, used.vcpus, used.memory_mb, used.disk_gb, used.tasks);
    erase_usage_.run(kind, name);
  }
  used_.clear();
}

void StatsFold::flush_tasks() {
  for (const auto& [key, flow] : flows_) {
    const auto& [tenant, hour, waited, command, outcome] = key;
    add_flow_.run(labels_.text(tenant), hour, waited ? "waited" : "finished", command, outcome,
                  flow.n, flow.sum_us);
  }
  flows_.clear();
}

}  // namespace slipway::eventstore
