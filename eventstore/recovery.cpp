#include "eventstore/recovery.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>

#include "core/base/json_read.hpp"

namespace slipway::eventstore {
namespace {

base::Digest layout_digest() {
  base::Digest out{};
  const std::uint64_t digest = domain::World::layout_digest();
  std::memcpy(out.data(), &digest, sizeof digest);
  return out;
}

// The chain hash of the record that ends at `seq`; nullopt if no record does.
base::Result<std::optional<base::Digest>> hash_at(const EventLog& log, Seq seq) {
  std::string storage;
  auto record = log.find(seq, storage);
  if (!record) return base::fail(record.error());
  if (!*record || (*record)->next_seq() != seq + 1) return std::optional<base::Digest>();
  return std::optional<base::Digest>((*record)->hash);
}

// The world of the newest usable snapshot; a fresh one if there is none.
base::Result<Recovered> load_snapshot(const EventLog& log, const SnapshotStore& snapshots) {
  Recovered out;
  for (const auto& found : snapshots.list(log.head().log_id, layout_digest(), out.warnings)) {
    const auto hash = hash_at(log, found.header.seq);
    if (!hash) return base::fail(hash.error());
    if (!*hash || **hash != found.header.log_hash) {
      out.warnings.push_back(fmt::format("{} is not of this log", found.path.string()));
      continue;
    }
    domain::World world;
    const auto status = snapshots.read(
        found, [&](std::string_view chunk) { return world.read_snapshot_piece(chunk); });
    if (!status || world.next_seq() != found.header.seq + 1) {
      out.warnings.push_back(fmt::format("{}: {}", found.path.string(),
                                         status ? "is of another seq" : status.error().message));
      continue;
    }
    world.finish_snapshot();
    out.world = std::move(world);
    out.snapshot_seq = found.header.seq;
    return out;
  }
  return out;
}

// Folds the records after the world's seq, up to what is durable now. Stops early when asked.
base::Result<std::uint64_t> replay(const EventLog& log, domain::World& world,
                                   const std::stop_token& stop,
                                   const ReplayProgress& on_progress = {}) {
  constexpr std::uint64_t kTellEvery = 1000;  // records: some milliseconds
  std::uint64_t records = 0;
  auto cursor = log.read(world.next_seq());
  if (!cursor) return base::fail(cursor.error());
  base::JsonParser parser({.depth = 64});
  std::uint64_t events = 0;
  Record record;
  while (!stop.stop_requested()) {
    const auto more = (*cursor)->next(record);
    if (!more) return base::fail(more.error());
    if (!*more) break;
    auto body = domain::decode_record(record.payload, parser);
    if (!body) {
      return base::fail(base::Errc::Internal,
                        fmt::format("seq {}: {}", record.seq, body.error().message));
    }
    world.evolve(*body);
    events += record.event_count;
    if (on_progress && ++records % kTellEvery == 0) on_progress(events);
  }
  return events;
}

base::Status write(const domain::World& world, const EventLog& log,
                   const SnapshotStore& snapshots) {
  const Seq seq = world.next_seq() - 1;
  if (seq == 0) return {};
  const auto hash = hash_at(log, seq);
  if (!hash) return base::fail(hash.error());
  if (!*hash) return base::fail(base::Errc::Internal, "no record ends at the snapshot's seq");
  auto writer = snapshots.begin({seq, **hash, layout_digest(), log.head().log_id});
  if (!writer) return base::fail(writer.error());
  base::Status status;
  world.write_snapshot([&](std::string_view piece) {
    status = (*writer)->append(piece);
    return status.has_value();
  });
  if (!status) return status;
  return (*writer)->commit();
}

}  // namespace

base::Result<Recovered> recover(const EventLog& log, const SnapshotStore& snapshots,
                                const ReplayProgress& on_progress) {
  const auto start = std::chrono::steady_clock::now();
  auto out = load_snapshot(log, snapshots);
  if (!out) return out;
  const auto events = replay(log, out->world, {}, on_progress);
  if (!events) return base::fail(events.error());
  out->replayed_events = *events;
  out->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

base::Status write_snapshot(const domain::World& world, const EventLog& log,
                            const SnapshotStore& snapshots) {
  return write(world, log, snapshots);
}

Snapshotter::Snapshotter(const EventLog& log, const SnapshotStore& snapshots,
                         std::uint64_t every_events, Seq last_snapshot,
                         std::function<void(const base::Status&, Seq)> on_done)
    : log_(log),
      snapshots_(snapshots),
      every_events_(every_events),
      on_done_(std::move(on_done)),
      head_(last_snapshot),
      last_(last_snapshot) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Snapshotter::~Snapshotter() { stop(); }

void Snapshotter::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Snapshotter::on_committed(const CommittedBatchPtr& batch) {
  const Seq before = head_.exchange(batch->next_seq - 1, std::memory_order_relaxed);
  // The thread looks when a boundary is crossed, not at each batch.
  if (before / every_events_ != (batch->next_seq - 1) / every_events_) wake_.notify_all();
}

void Snapshotter::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      base::Lock lock(mu_);
      wake_.wait_for(lock.native(), stop, std::chrono::seconds(60),
                     [&] { return head_.load() >= last_ + every_events_; });
    }
    if (stop.stop_requested() || head_.load() < last_ + every_events_) continue;
    auto from = load_snapshot(log_, snapshots_);
    base::Status status;
    if (from) {
      const auto events = replay(log_, from->world, stop);
      if (stop.stop_requested()) return;
      status =
          events ? write(from->world, log_, snapshots_) : base::Status(base::fail(events.error()));
    } else {
      status = base::fail(from.error());
    }
    last_ = from ? from->world.next_seq() - 1 : head_.load();
    on_done_(status, last_);
  }
}

}  // namespace slipway::eventstore
