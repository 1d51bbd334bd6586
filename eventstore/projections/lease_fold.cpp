#include "eventstore/projections/lease_fold.hpp"

namespace slipway::eventstore {

LeaseFold::LeaseFold(Database& db, Tallies& tallies)
    : tallies_(tallies),
      leases_(db, "leases"),
      reservations_(db, "reservations"),
      hosts_(db, "reservable_hosts"),
      properties_(db, "host_properties"),
      floating_ips_(db, "floating_ips") {}

void LeaseFold::load() {
  leases_.load();
  reservations_.load();
  hosts_.load();
  properties_.load();
  floating_ips_.load();
}

void LeaseFold::flush() {
  leases_.flush();
  reservations_.flush();
  hosts_.flush();
  properties_.flush();
  floating_ips_.flush();
}

// nullptr: it is being deleted, and nobody sees it any more.
LeaseRow* LeaseFold::touch(const FoldContext& ctx) {
  LeaseRow* row = leases_.find(base::to_string(ctx.event.stream.id));
  if (row != nullptr) row->lease.version = ctx.event.version;
  return row;
}

void LeaseFold::fill(ReservationRow& out, const LeaseRow& row, const domain::Reservation& from) {
  out.lease = row.lease.id;
  out.tenant = row.lease.tenant;
  out.start = row.lease.start;
  out.end = row.lease.end;
  out.reservation = from;
}

void LeaseFold::follow(const LeaseRow& row) {
  for (const domain::Reservation& r : row.lease.reservations) {
    ReservationRow* found = reservations_.find(base::to_string(r.spec.id));
    if (found != nullptr) fill(*found, row, r);
  }
}

void LeaseFold::count(const domain::Lease& lease, std::int64_t n) {
  for (const domain::Reservation& r : lease.reservations) {
    tallies_.add(Tally::ReservationsByState, tallies_.label(r.state), 0, 0, n);
  }
}

void LeaseFold::on(const FoldContext& ctx, const domain::LeaseCreated& e) {
  LeaseRow& row = leases_.touch(base::to_string(ctx.event.stream.id));
  row.created_seq = ctx.seq;
  row.lease.id = domain::LeaseId(ctx.event.stream.id);
  row.lease.version = ctx.event.version;
  row.lease.tenant = ctx.envelope.tenant;
  apply(row.lease, e, ctx.time());
  count(row.lease, 1);
}

void LeaseFold::on(const FoldContext& ctx, const domain::ReservationAllocated& e) {
  LeaseRow* row = touch(ctx);
  if (row == nullptr) return;
  apply(row->lease, e, ctx.time());
  ReservationRow& reservation = reservations_.touch(base::to_string(e.reservation));
  if (reservation.created_seq == 0) reservation.created_seq = ctx.seq;
  fill(reservation, *row, *row->lease.reservation(e.reservation));
}

void LeaseFold::on(const FoldContext& ctx, const domain::LeaseDeleting&) {
  const LeaseRow* row = touch(ctx);
  if (row == nullptr) return;
  count(row->lease, -1);
  for (const domain::Reservation& r : row->lease.reservations) {
    reservations_.erase(base::to_string(r.spec.id));
  }
  leases_.erase(base::to_string(ctx.event.stream.id));
}

// ---- hosts ----

void LeaseFold::on(const FoldContext& ctx, const domain::HostEnrolled& e) {
  const std::string& name = ctx.event.stream.name;
  hosts_.touch(name) = {ctx.seq, {name, e.facts, e.capabilities, true, ctx.time(), std::nullopt}};
}
void LeaseFold::on(const FoldContext& ctx, const domain::HostCapabilitySet& e) {
  ReservableHostRow* row = hosts_.find(ctx.event.stream.name);
  if (row == nullptr) return;
  for (const auto& [key, value] : e.capabilities) row->host.capabilities[key] = value;
  row->host.updated_at = ctx.time();
}
void LeaseFold::on(const FoldContext& ctx, const domain::HostWithdrawn&) {
  hosts_.erase(ctx.event.stream.name);
}
void LeaseFold::on(const FoldContext& ctx, const domain::HostLost&) {
  if (ReservableHostRow* row = hosts_.find(ctx.event.stream.name)) row->host.alive = false;
}
void LeaseFold::on(const FoldContext& ctx, const domain::HostSeen&) {
  if (ReservableHostRow* row = hosts_.find(ctx.event.stream.name)) row->host.alive = true;
}
void LeaseFold::on(const FoldContext& ctx, const domain::HostPropertyChanged& e) {
  HostPropertyRow& row = properties_.touch(e.property);
  if (row.created_seq == 0) row.created_seq = ctx.seq;
  row.property = e.property;
  row.is_private = e.is_private;
}

// ---- floating addresses ----

void LeaseFold::on(const FoldContext& ctx, const domain::FloatingIpCreated& e) {
  floating_ips_.touch(base::to_string(ctx.event.stream.id)) = {ctx.seq, e.floating_ip, ctx.time()};
}
void LeaseFold::on(const FoldContext& ctx, const domain::FloatingIpDeleted&) {
  floating_ips_.erase(base::to_string(ctx.event.stream.id));
}

}  // namespace slipway::eventstore
