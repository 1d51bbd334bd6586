#include "tests/simulation/sim_read_models.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/domain/record.hpp"

namespace slipway::simulation {

namespace fs = std::filesystem;
using eventstore::CommittedBatch;
using eventstore::CommittedBatchPtr;
using eventstore::ProjectorCore;

namespace {

// In memory where that is possible. One simulation at a time in a process.
std::string directory_of(int process) {
  std::error_code ignored;
  const fs::path memory = "/dev/shm";
  const fs::path parent = fs::exists(memory, ignored) ? memory : fs::temp_directory_path();
  return (parent / fmt::format("slipway-sim-{}", process)).string();
}

void must(const base::Status& status) {
  if (!status) violate("read-models-fold", status.error().message);
}

CommittedBatchPtr batch_of(std::vector<domain::RecordBody> records) {
  auto batch = std::make_shared<CommittedBatch>();
  batch->first_seq = records.front().envelope.seq;
  batch->next_seq = records.back().envelope.seq + records.back().events.size();
  batch->records = std::move(records);
  return batch;
}

// As if its projection did not know one kind of event.
CommittedBatchPtr without_steps(const CommittedBatch& batch) {
  auto records = batch.records;
  for (domain::RecordBody& record : records) {
    for (domain::Event& event : record.events) {
      if (auto* done = std::get_if<domain::TaskStepDone>(&event.body)) done->backend_ref = "lost";
    }
  }
  return batch_of(std::move(records));
}

}  // namespace

SimReadModels::SimReadModels(const eventstore::EventLog& log, std::uint64_t seed, Plant plant)
    : log_(log), random_(seed ^ 0x5EEDULL), plant_(plant) {
  root_ = directory_of(::getpid());
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void SimReadModels::remove_files_of(int process) {
  std::error_code ignored;
  fs::remove_all(directory_of(process), ignored);
}

SimReadModels::~SimReadModels() {
  live_.reset();
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string SimReadModels::directory(std::string_view name) const {
  return (fs::path(root_) / name).string();
}

std::unique_ptr<ProjectorCore> SimReadModels::open(const std::string& directory) const {
  ProjectorCore::Options options;
  options.directory = directory;
  options.cache_bytes = 1U << 20U;
  auto core = ProjectorCore::open(options, log_.head().log_id);
  if (!core) violate("read-models-fold", core.error().message);
  return std::move(*core);
}

void SimReadModels::restart() {
  waiting_.clear();
  live_.reset();
  live_ = open(directory("live"));
  if (live_->checkpoint() >= log_.head().next_seq) {
    violate("durable", "the read models are ahead of the log");
  }
  catch_up(*live_, 1 + random_.below(300));
}

void SimReadModels::on_committed(const CommittedBatchPtr& batch) {
  waiting_.push_back(plant_ == Plant::ProjectionForgets ? without_steps(*batch) : batch);
}

void SimReadModels::turn() {
  if (waiting_.size() > 200 || random_.chance(0.01)) project();
}

void SimReadModels::project() {
  must(live_->apply(waiting_));
  waiting_.clear();
}

void SimReadModels::catch_up(ProjectorCore& core, std::size_t records_a_lot) const {
  auto cursor = log_.read(core.checkpoint() + 1);
  if (!cursor) violate("log-readable", cursor.error().message);
  base::JsonParser parser;
  eventstore::Record record;
  std::vector<domain::RecordBody> lot;
  for (bool more = true; more;) {
    more = (*cursor)->next(record).value_or(false);
    if (more) {
      auto body = domain::decode_record(record.payload, parser);
      if (!body) violate("log-readable", body.error().message);
      lot.push_back(std::move(*body));
    }
    if (lot.empty() || (more && lot.size() < records_a_lot)) continue;
    const CommittedBatchPtr batch = batch_of(std::move(lot));
    lot.clear();
    must(core.apply({&batch, 1}));
  }
}

void SimReadModels::rebuilt_equals_live() {
  project();
  const auto rebuilt = open(directory("rebuilt"));
  catch_up(*rebuilt, 1 + random_.below(2000));
  const auto mine = rebuilt->dump_for_test();
  const auto theirs = live_->dump_for_test();
  if (!mine || !theirs) violate("rebuilt-equals-live", "they are not readable");
  if (*mine == *theirs) return;
  const auto at = static_cast<std::size_t>(
      std::mismatch(mine->begin(), mine->end(), theirs->begin(), theirs->end()).first -
      mine->begin());
  const std::size_t from = at < 200 ? 0 : at - 200;
  violate("rebuilt-equals-live",
          fmt::format("rebuilt from the log\n  {}\nlive\n  {}", mine->substr(from, 400),
                      theirs->substr(std::min(from, theirs->size()), 400)));
}

}  // namespace slipway::simulation
