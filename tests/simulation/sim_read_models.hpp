#pragma once
// The read models of a simulation: the real projection, fed with committed batches in lots of any
// size, behind by any number of them, ended with the server and begun again from its checkpoint.
// At the end they must be, byte for byte, what the log gives when it is read from its beginning.
#include <memory>
#include <string>
#include <vector>

#include "eventstore/event_log.hpp"
#include "eventstore/projector_core.hpp"
#include "tests/simulation/base.hpp"

namespace slipway::simulation {

class SimReadModels final : public eventstore::CommitListener {
 public:
  SimReadModels(const eventstore::EventLog& log, std::uint64_t seed, Plant plant);
  ~SimReadModels() override;
  // What a process that was ended in the middle of a simulation has left.
  static void remove_files_of(int process);

  // The server starts (again): what was not projected is read from the log.
  void restart();
  void on_committed(const eventstore::CommittedBatchPtr& batch) override;
  // Projects what has come in, or lets it wait.
  void turn();
  void rebuilt_equals_live();

 private:
  void project();
  std::string directory(std::string_view name) const;
  std::unique_ptr<eventstore::ProjectorCore> open(const std::string& directory) const;
  void catch_up(eventstore::ProjectorCore& core, std::size_t records_a_lot) const;

  const eventstore::EventLog& log_;
  Random random_;  // its own: what it draws changes nothing in the simulation
  const Plant plant_;
  std::string root_;
  std::unique_ptr<eventstore::ProjectorCore> live_;
  std::vector<eventstore::CommittedBatchPtr> waiting_;
};

}  // namespace slipway::simulation
