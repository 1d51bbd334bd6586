#include "eventstore/past_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>

namespace slipway::eventstore {
namespace {

base::SteadyTime steady_now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

bool lies_within(const domain::RecordBody& record, const Moment& moment) {
  if (const auto* seq = std::get_if<Seq>(&moment)) return record.envelope.seq <= *seq;
  return record.envelope.time <= std::get<base::Time>(moment);
}

// The files of one moment; gone with it.
struct Folder {
  explicit Folder(std::string where) : path(std::move(where)) {}
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string path;
};

struct Models {
  explicit Models(std::string where)
      : folder(std::move(where)), models({.directory = folder.path}) {}
  Folder folder;
  const ReadModels models;
};

}  // namespace

// Folded by one thread at a time, the one that has claimed it.
struct PastModels::Entry {
  enum class State : std::uint8_t { Begun, Folding, Done };
  Moment moment;
  State state = State::Begun;           // guarded by mu_
  std::unique_ptr<ProjectorCore> core;  // until it is done
  std::shared_ptr<Models> files;        // shared: by the readers of the moment
};

PastModels::~PastModels() = default;

base::Result<std::shared_ptr<const ReadModels>> PastModels::at(const Moment& moment, base::Time now,
                                                               base::SteadyTime deadline) {
  const auto* time = std::get_if<base::Time>(&moment);
  if (time != nullptr && *time > now) {
    return base::fail(base::Errc::InvalidArgument, "that time has not come yet");
  }
  if (log_.first_seq() > 1) {
    return base::fail(base::Errc::HistoryTruncated, "the log does not go back to its beginning");
  }
  const std::string serving = present_.serving_file();
  if (serving.empty()) {
    return base::fail(base::Errc::ProjectionBehind, "the read models are being built");
  }
  const auto folder = std::filesystem::path(serving).parent_path() / "past";
  std::call_once(cleared_, [&] {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  });
  auto entry = claim(moment, folder.string());
  if (!entry) return base::fail(entry.error());
  const base::Status folded = entry->done ? base::Status() : fold(*entry->entry, deadline);
  if (!entry->done) release(entry->entry, folded);
  if (!folded) return base::fail(folded.error());
  const auto& files = entry->entry->files;
  return std::shared_ptr<const ReadModels>(files, &files->models);
}

base::Result<PastModels::Claim> PastModels::claim(const Moment& moment, const std::string& folder) {
  std::shared_ptr<Entry> evicted;  // its files go after the lock
  base::Lock lock(mu_);
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& e) { return e->moment == moment; });
  if (known != entries_.end()) entries_.splice(entries_.begin(), entries_, known);
  if (known != entries_.end() && entries_.front()->state == Entry::State::Done) {
    return Claim{entries_.front(), true};
  }
  if (std::any_of(entries_.begin(), entries_.end(),
                  [](const auto& e) { return e->state == Entry::State::Folding; })) {
    return base::fail(base::Errc::RateLimited, "a moment is being folded for somebody else");
  }
  if (known == entries_.end()) {
    entries_.push_front(std::make_shared<Entry>());
    entries_.front()->moment = moment;
    entries_.front()->files = std::make_shared<Models>(fmt::format("{}/{}", folder, ++made_));
    if (entries_.size() > options_.kept) {
      evicted = std::move(entries_.back());
      entries_.pop_back();
    }
  }
  entries_.front()->state = Entry::State::Folding;
  return Claim{entries_.front(), false};
}

// What could not be folded for another reason than time is begun anew by who asks next.
void PastModels::release(const std::shared_ptr<Entry>& entry, const base::Status& folded) {
  base::Lock lock(mu_);
  entry->state = folded ? Entry::State::Done : Entry::State::Begun;
  if (!folded && folded.error().code != base::Errc::DeadlineExceeded) entries_.remove(entry);
}

base::Status PastModels::fold(Entry& entry, base::SteadyTime deadline) const {
  if (entry.core == nullptr) {
    ProjectorCore::Options options;
    options.directory = entry.files->folder.path;
    options.cache_bytes = 8U << 20U;
    auto opened = ProjectorCore::open(std::move(options), "");
    if (!opened) return base::fail(opened.error());
    entry.core = std::move(*opened);
  }
  auto follower = LogFollower::open(log_, entry.core->checkpoint() + 1);
  if (!follower) return base::fail(follower.error());
  for (;;) {
    auto more = fold_lot(entry, *follower);
    if (!more) return base::fail(more.error());
    if (!*more) break;
    if (steady_now() >= deadline) {
      return base::fail(base::Errc::DeadlineExceeded,
                        fmt::format("the tables of that moment are folded up to seq {}; ask again",
                                    entry.core->checkpoint()));
    }
  }
  if (auto status = entry.core->checkpoint_wal(); !status) return status;
  entry.core.reset();
  return {};
}

// Whether there may be more before the moment.
base::Result<bool> PastModels::fold_lot(Entry& entry, LogFollower& follower) const {
  auto batch = follower.next(options_.events_a_lot);
  if (!batch) return base::fail(batch.error());
  if (*batch == nullptr) return false;
  const auto& records = (*batch)->records;
  const auto later = std::find_if(records.begin(), records.end(), [&](const auto& record) {
    return !lies_within(record, entry.moment);
  });
  const bool more = later == records.end();
  if (!more) {
    auto part = std::make_shared<CommittedBatch>();
    part->first_seq = (*batch)->first_seq;
    part->records.assign(records.begin(), later);
    part->next_seq = later->envelope.seq;
    *batch = std::move(part);
  }
  if ((*batch)->records.empty()) return false;
  if (auto status = entry.core->apply(std::span(&*batch, 1)); !status) {
    return base::fail(status.error());
  }
  return more;
}

}  // namespace slipway::eventstore
