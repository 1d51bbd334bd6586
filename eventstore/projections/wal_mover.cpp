#include "eventstore/projections/wal_mover.hpp"

namespace slipway::eventstore {
namespace {
constexpr int kLittlePages = 1000;  // 4 MiB: some milliseconds
}

WalMover::WalMover(std::string file)
    : file_(std::move(file)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

WalMover::Step WalMover::next_step(int wal_pages, int threshold) {
  if (wal_pages < threshold) {
    not_before_ = 0;
    return Step::None;
  }
  if (wal_pages < not_before_) return Step::None;
  base::Lock lock(mu_);
  if (busy_) return Step::None;
  if (moved_ <= wal_pages && wal_pages - moved_ <= kLittlePages) {
    moved_ = 0;
    not_before_ = wal_pages + threshold / 4;
    return Step::MoveNow;
  }
  asked_ = busy_ = true;
  wake_.notify_one();
  return Step::None;
}

void WalMover::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      base::Lock lock(mu_);
      wake_.wait(lock.native(), stop,
                 [this]() SLIPWAY_TS(no_thread_safety_analysis) { return asked_; });
      asked_ = false;
    }
    if (stop.stop_requested()) return;
    int moved = 0;
    if (auto db = Database::open(file_, OpenMode::ReadWriteCreate)) {
      moved = (*db)->checkpoint().second;
    }
    base::Lock lock(mu_);
    moved_ = moved;
    busy_ = false;
  }
}

}  // namespace slipway::eventstore
