#pragma once
// All folds together, over one database: what becomes of an event, and of a lot's end.
#include "eventstore/projections/assignment_fold.hpp"
#include "eventstore/projections/catalog_fold.hpp"
#include "eventstore/projections/infrastructure_fold.hpp"
#include "eventstore/projections/lease_fold.hpp"
#include "eventstore/projections/stats_fold.hpp"
#include "eventstore/projections/tallies.hpp"
#include "eventstore/projections/task_fold.hpp"
#include "eventstore/projections/vm_fold.hpp"

namespace slipway::eventstore {

struct Folds {
  Folds(Database& db, std::size_t max_hot)
      : tallies(db),
        stats(db),
        tasks(db, tallies, stats, max_hot),
        vms(db, tallies, stats, max_hot),
        catalog(db, tallies),
        leases(db, tallies),
        infrastructure(db),
        assignments(db) {}

  void load() {
    tallies.load();
    tasks.load();
    catalog.load();
    leases.load();
    infrastructure.load();
    assignments.load();
  }

  void record(const domain::RecordBody& record) {
    domain::Seq seq = record.envelope.seq;
    stats.record(record.envelope.time, seq, seq + record.events.size() - 1);
    for (const domain::Event& event : record.events) {
      const FoldContext ctx{record.envelope, event, seq++};
      tallies.add_event(event.body.index());
      std::visit(
          [&](const auto& e) {
            tasks.on(ctx, e);
            vms.on(ctx, e);
            catalog.on(ctx, e);
            leases.on(ctx, e);
            infrastructure.on(ctx, e);
            assignments.on(ctx, e);
          },
          event.body);
    }
  }

  void flush() {
    tasks.flush();
    vms.flush();
    catalog.flush();
    leases.flush();
    infrastructure.flush();
    assignments.flush();
    stats.flush();
    tallies.flush();
  }

  Tallies tallies;
  StatsFold stats;
  TaskFold tasks;
  VmFold vms;
  CatalogFold catalog;
  LeaseFold leases;
  InfrastructureFold infrastructure;
  AssignmentFold assignments;
};

}  // namespace slipway::eventstore
