#include <fmt/format.h>

#include "eventstore/bytes.hpp"
#include "eventstore/record_codec.hpp"
#include "eventstore/rocks_store.hpp"

namespace slipway::eventstore {

using base::fail;
using base::Result;
using base::Status;

Result<std::unique_ptr<RocksCursor>> RocksCursor::open(const RocksStore& store, Seq from, Seq end,
                                                       bool fill_cache) {
  std::unique_ptr<RocksCursor> cursor(new RocksCursor(store));
  rocksdb::ReadOptions how;
  how.fill_cache = fill_cache;
  how.total_order_seek = true;
  cursor->it_.reset(store.db().NewIterator(how, store.column(kRecords)));
  cursor->end_ = end;
  if (auto ok = cursor->position(from); !ok) return fail(ok.error());
  return cursor;
}

// Leaves the iterator on the record that holds `from` (or behind the last one), with the hash and
// the end of the record before it known.
Status RocksCursor::position(Seq from) {
  std::array<char, 8> key;
  put_be64(key.data(), from);
  it_->SeekForPrev({key.data(), key.size()});
  if (!it_->Valid()) {
    if (!it_->status().ok()) return damaged(from, it_->status().ToString());
    it_->SeekToFirst();  // `from` is before the first record, or there is none
    return {};
  }
  const auto held = decode_record(view(it_->value()));
  if (!held) return damaged(from, held.error().message);
  if (held->next_seq() <= from) {  // behind the last record
    expected_ = held->next_seq();
    previous_ = held->hash;
    it_->Next();
    return {};
  }
  return load_previous();
}

Status RocksCursor::load_previous() {
  it_->Prev();
  if (!it_->Valid()) {
    if (!it_->status().ok()) return damaged(0, it_->status().ToString());
    it_->SeekToFirst();
    return {};
  }
  const auto before = decode_record(view(it_->value()));
  if (!before) return damaged(get_be64(it_->key().data()), before.error().message);
  expected_ = before->next_seq();
  previous_ = before->hash;
  it_->Next();
  return {};
}

Result<bool> RocksCursor::next(Record& out) {
  if (!on_next_) it_->Next();
  on_next_ = false;
  if (!it_->Valid()) {
    // A damaged table file looks like the end of the log: only the status tells.
    if (!it_->status().ok()) return fail(damaged(expected_, it_->status().ToString()).error());
    if (expected_ < end_) {
      return fail(
          damaged(expected_, fmt::format("the records end here, the head is {}", end_)).error());
    }
    on_next_ = true;  // stays at the end
    return false;
  }
  bytes_ = view(it_->value());
  auto record = decode_record(bytes_);
  if (!record) return fail(damaged(expected_, record.error().message).error());
  if (auto ok = check(*record); !ok) return fail(ok.error());
  expected_ = record->next_seq();
  previous_ = record->hash;
  out = *record;
  return true;
}

Status RocksCursor::check(const Record& record) {
  if (record.seq != expected_ || it_->key().size() != 8 ||
      get_be64(it_->key().data()) != expected_) {
    return damaged(expected_, fmt::format("seq {} follows: a gap or a repeat", record.seq));
  }
  if (!follows(previous_, bytes_, record)) {
    return damaged(expected_, "the chain is broken: this record or the one before was exchanged");
  }
  return {};
}

Status RocksCursor::damaged(Seq seq, std::string_view what) const {
  return fail(base::Errc::Internal, fmt::format("the log is damaged at seq {}, in {}: {}", seq,
                                                store_.place_of(seq), what));
}

}  // namespace slipway::eventstore
