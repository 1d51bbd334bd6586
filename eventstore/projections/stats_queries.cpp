// Statistics. VM counts have rows only for hours in which something happened: the hours between
// carry the last count on. What tasks did is a sum, absent where nothing was done.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "eventstore/projections/query_connection.hpp"
#include "eventstore/projections/stats_fold.hpp"
#include "eventstore/projections/time_zone.hpp"

namespace slipway::eventstore {
namespace {

base::Time time_of_hour(std::int64_t hour) { return base::Time(std::chrono::hours(hour)); }

struct VmHour {
  std::int64_t existing = 0;
  std::int64_t created = 0;
  std::int64_t deleted = 0;
  std::int64_t vm_us = 0;
};

// One tenant's hours, walked through from the oldest on.
class TenantHours {
 public:
  void start_with(std::int64_t existing) { existing_ = existing; }
  void add(std::int64_t hour, const VmHour& row) { rows_[hour] = row; }

  // The hour as it was at `now`, if it is the running one.
  VmHour at(std::int64_t hour, base::Time now) {
    const auto it = rows_.find(hour);
    VmHour h{existing_, 0, 0, existing_ * kHourUs};
    if (it != rows_.end()) h = it->second;
    existing_ = h.existing;
    const std::int64_t end = (hour + 1) * kHourUs;
    const std::int64_t rest = std::clamp<std::int64_t>(end - base::to_us(now), 0, kHourUs);
    h.vm_us -= h.existing * rest;  // not yet: the row counts to the hour's end
    return h;
  }

 private:
  std::int64_t existing_ = 0;
  std::map<std::int64_t, VmHour> rows_;
};

Sql scoped(const Scope& scope) {
  Sql sql;
  if (!scope.everything()) sql.add(" AND tenant=?", scope.name());
  return sql;
}

std::map<std::string, TenantHours> tenant_hours(QueryConnection& q, const Scope& scope,
                                                std::int64_t from, std::int64_t to) {
  std::map<std::string, TenantHours> out;
  Sql before("SELECT tenant, vms_existing, max(hour) FROM stats_hourly WHERE");
  before.add(" hour<?", from).add(scoped(scope)).add(" GROUP BY tenant");
  Statement& carried = q.prepare(before);
  while (carried.step()) {
    out[std::string(carried.text(0))].start_with(carried.integer(1));
  }
  Sql within(
      "SELECT tenant, hour, vms_existing, vms_created, vms_deleted, vm_us FROM stats_hourly "
      "WHERE");
  within.add(" hour>=?", from).add(" AND hour<?", to).add(scoped(scope));
  Statement& s = q.prepare(within);
  while (s.step()) {
    out[std::string(s.text(0))].add(s.integer(1),
                                    {s.integer(2), s.integer(3), s.integer(4), s.integer(5)});
  }
  return out;
}

// Nothing is known before the first event.
std::int64_t first_hour(QueryConnection& q, std::int64_t otherwise) {
  const auto minute = q.number(Sql("SELECT min(minute) FROM minutes"), otherwise * 60);
  return hour_of(base::Time(std::chrono::minutes(minute)));
}

// Sums, means or last values by bucket and group.
class Buckets {
 public:
  Buckets(const SeriesQuery& query, const TimeZone& zone) : query_(query), zone_(zone) {}

  base::Time start_of(std::int64_t hour) const {
    const base::Time t = time_of_hour(hour);
    return query_.step == SeriesStep::Hour ? t : zone_.day_of(t);
  }
  void add(std::int64_t hour, const std::string& group, double value) {
    buckets_[{start_of(hour), group}].sum += value;
  }
  void add_mean(std::int64_t hour, const std::string& group, double sum, double n) {
    Bucket& bucket = buckets_[{start_of(hour), group}];
    bucket.sum += sum;
    bucket.n += n;
  }
  void set(std::int64_t hour, const std::string& group, double value) {
    Bucket& bucket = buckets_[{start_of(hour), group}];
    if (bucket.last_hour != hour) bucket.sum = 0;  // the last hour of the bucket stands for it
    bucket.last_hour = hour;
    bucket.sum += value;
  }
  std::vector<SeriesPoint> points() const {
    std::vector<SeriesPoint> out;
    for (const auto& [key, b] : buckets_) {
      out.push_back({key.first, key.second, b.n > 0 ? b.sum / b.n : b.sum});
    }
    return out;
  }
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double sum = 0;
    double n = 0;
    std::int64_t last_hour = std::numeric_limits<std::int64_t>::min();
  };
  const SeriesQuery& query_;
  const TimeZone& zone_;
  std::map<std::pair<base::Time, std::string>, Bucket> buckets_;
};

bool is_vm_series(Series s) { return s <= Series::VmHours; }

std::string refusal(const Scope& scope, const SeriesQuery& query) {
  const bool by_tenant = query.group_by == SeriesGroup::Tenant;
  const bool none = query.group_by == SeriesGroup::None;
  if (by_tenant && !scope.everything()) return "group_by tenant is for admins";
  if (is_vm_series(query.series) && !none && !by_tenant) return "VMs are not grouped by that";
  if (query.series == Series::TaskWait && query.group_by == SeriesGroup::Outcome) {
    return "a wait has no outcome";
  }
  if (query.to <= query.from) return "the range is empty";
  return {};
}

void vm_series(QueryConnection& q, const Scope& scope, const SeriesQuery& query, std::int64_t from,
               std::int64_t to, Buckets& buckets) {
  for (auto& [tenant, hours] : tenant_hours(q, scope, from, to)) {
    const std::string group = query.group_by == SeriesGroup::Tenant ? tenant : std::string();
    for (std::int64_t hour = from; hour < to; ++hour) {
      const VmHour h = hours.at(hour, query.now);
      switch (query.series) {
        case Series::VmsExisting:
          buckets.set(hour, group, static_cast<double>(h.existing));
          break;
        case Series::VmsCreated:
          buckets.add(hour, group, static_cast<double>(h.created));
          break;
        case Series::VmsDeleted:
          buckets.add(hour, group, static_cast<double>(h.deleted));
          break;
        case Series::VmHours:
        case Series::TasksFinished:
        case Series::TaskWait:
          buckets.add(hour, group, static_cast<double>(h.vm_us) / static_cast<double>(kHourUs));
          break;
      }
    }
  }
}

std::string group_of(SeriesGroup group_by, const Statement& s) {
  switch (group_by) {
    case SeriesGroup::None:
      return {};
    case SeriesGroup::Tenant:
      return std::string(s.text(0));
    case SeriesGroup::Command:
      return std::string(base::enum_name(s.as<domain::CommandKind>(2)));
    case SeriesGroup::Outcome:
      return std::string(base::enum_name(s.as<domain::TaskState>(3)));
  }
  return {};
}

void task_series(QueryConnection& q, const Scope& scope, const SeriesQuery& query,
                 std::int64_t from, std::int64_t to, Buckets& buckets) {
  const bool waits = query.series == Series::TaskWait;
  Sql sql("SELECT tenant, hour, command, outcome, n, sum_us FROM stats_tasks WHERE");
  sql.add(" kind=?", waits ? "waited" : "finished").add(" AND hour>=?", from);
  Statement& s = q.prepare(sql.add(" AND hour<?", to).add(scoped(scope)));
  while (s.step()) {
    const std::string group = group_of(query.group_by, s);
    const auto n = static_cast<double>(s.integer(4));
    if (waits) {
      buckets.add_mean(s.integer(1), group, static_cast<double>(s.integer(5)) / 1e6, n);
    } else {
      buckets.add(s.integer(1), group, n);
    }
  }
  // Without groups an hour in which nothing ended is a 0; a mean of nothing is left out.
  if (waits || query.group_by != SeriesGroup::None) return;
  for (std::int64_t hour = from; hour < to; ++hour) buckets.add(hour, {}, 0);
}

}  // namespace

base::Result<Read<std::vector<HourCount>>> Reader::vms_per_hour(const Scope& scope,
                                                                base::Time now) {
  Read<std::vector<HourCount>> answer;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    const std::int64_t last = hour_of(now);
    const std::int64_t from = std::max(last - 23, std::min(first_hour(*impl_, last), last));
    std::map<std::int64_t, std::int64_t> counts;
    for (std::int64_t hour = from; hour <= last; ++hour) counts[hour] = 0;
    for (auto& [tenant, hours] : tenant_hours(*impl_, scope, from, last + 1)) {
      for (auto& [hour, vms] : counts) vms += hours.at(hour, now).existing;
    }
    for (const auto& [hour, vms] : counts) answer.value.push_back({time_of_hour(hour), vms});
  });
  if (!status) return base::fail(status.error());
  return answer;
}

base::Result<Read<std::vector<SeriesPoint>>> Reader::series(const Scope& scope,
                                                            const SeriesQuery& query) {
  const auto zone = TimeZone::find(query.zone);
  if (!zone) return base::fail(base::Errc::InvalidArgument, "unknown time zone");
  if (const std::string text = refusal(scope, query); !text.empty()) {
    return base::fail(base::Errc::InvalidArgument, text);
  }
  constexpr auto kMaxHours = static_cast<std::int64_t>(24 * kMaxSeriesPoints);
  Read<std::vector<SeriesPoint>> answer;
  bool too_many = false;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    const std::int64_t to = std::min(hour_of(query.to - base::Duration(1)), hour_of(query.now)) + 1;
    const std::int64_t from = std::max(hour_of(query.from), first_hour(*impl_, to));
    too_many = to - from > kMaxHours;
    if (too_many) return;
    Buckets buckets(query, *zone);
    if (is_vm_series(query.series)) {
      vm_series(*impl_, scope, query, from, to, buckets);
    } else {
      task_series(*impl_, scope, query, from, to, buckets);
    }
    too_many = buckets.size() > kMaxSeriesPoints;
    if (!too_many) answer.value = buckets.points();
  });
  if (!status) return base::fail(status.error());
  if (too_many) return base::fail(base::Errc::InvalidArgument, "too many points; ask for less");
  return answer;
}

}  // namespace slipway::eventstore
