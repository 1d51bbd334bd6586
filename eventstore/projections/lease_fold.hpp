#pragma once
// Leases of hosts, their reservations, the hosts given to them, floating addresses. What an event
// makes of a lease is apply() of core/domain/lease.hpp, the same that the live state folds with.
#include "core/domain/events.hpp"
#include "eventstore/projections/catalog_table.hpp"
#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/tallies.hpp"

namespace slipway::eventstore {

class LeaseFold {
 public:
  LeaseFold(Database& db, Tallies& tallies);
  void load();

  void on(const FoldContext&, const domain::LeaseCreated&);
  void on(const FoldContext&, const domain::ReservationAllocated&);
  void on(const FoldContext&, const domain::LeaseDeleting&);
  void on(const FoldContext&, const domain::HostEnrolled&);
  void on(const FoldContext&, const domain::HostCapabilitySet&);
  void on(const FoldContext&, const domain::HostWithdrawn&);
  void on(const FoldContext&, const domain::HostLost&);
  void on(const FoldContext&, const domain::HostSeen&);
  void on(const FoldContext&, const domain::HostPropertyChanged&);
  void on(const FoldContext&, const domain::FloatingIpCreated&);
  void on(const FoldContext&, const domain::FloatingIpDeleted&);
  template <class E>
  void on(const FoldContext& ctx, const E& e) {
    if constexpr (requires(domain::Lease & lease) { apply(lease, e, ctx.time()); }) {
      if (LeaseRow* row = touch(ctx)) {
        count(row->lease, -1);
        apply(row->lease, e, ctx.time());
        count(row->lease, 1);
        follow(*row);
      }
    }
  }

  void flush();

 private:
  LeaseRow* touch(const FoldContext&);
  void follow(const LeaseRow& row);
  void count(const domain::Lease& lease, std::int64_t n);  // its reservations, by state
  static void fill(ReservationRow& out, const LeaseRow& row, const domain::Reservation& from);

  Tallies& tallies_;
  CatalogTable<LeaseRow> leases_;
  CatalogTable<ReservationRow> reservations_;
  CatalogTable<ReservableHostRow> hosts_;
  CatalogTable<HostPropertyRow> properties_;
  CatalogTable<FloatingIpRow> floating_ips_;
};

}  // namespace slipway::eventstore
