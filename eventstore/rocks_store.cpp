#include "eventstore/rocks_store.hpp"

#include <fmt/format.h>
#include <rocksdb/sst_file_reader.h>

#include "core/base/uuid.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/record_codec.hpp"
#include "eventstore/rocks_options.hpp"

namespace slipway::eventstore {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::Status;

constexpr std::string_view kIdentityKey = "identity";
constexpr std::uint32_t kStoreFormat = 1;
constexpr std::size_t kIdentityBytes = 4 + 8 + base::kUuidTextSize;
constexpr std::array kMarked = {kIndex, kIdempotency, kSecrets};

// offset size
//      0    8  number of the batch, from 1
//      8   24  number of the last batch that touched stream_index, idempotency, secrets
//     32    8  next seq
//     40   32  chain hash of the last record
StoreHead decode_store_head(const char* in) {
  StoreHead head;
  head.batch = get_le<std::uint64_t>(in);
  for (std::size_t i = 0; i < kMarked.size(); ++i) {
    head.touched[kMarked[i]] = get_le<std::uint64_t>(in + 8 + 8 * i);
  }
  head.next_seq = get_le<std::uint64_t>(in + 32);
  std::memcpy(head.hash.data(), in + 40, head.hash.size());
  return head;
}

// The store does not always say which table file it could not open: asks each.
std::string unreadable_tables(const std::filesystem::path& dir) {
  std::string names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    if (entry.path().extension() != ".sst") continue;
    rocksdb::SstFileReader reader{rocksdb::Options()};
    const auto status = reader.Open(entry.path().string());
    if (!status.ok()) names += fmt::format("; {}: {}", entry.path().string(), status.ToString());
  }
  return names;
}

Status damaged(std::string message) { return fail(Errc::Internal, std::move(message)); }

}  // namespace

void encode_store_head(const StoreHead& head, char* out72) {
  put_le(out72, head.batch);
  for (std::size_t i = 0; i < kMarked.size(); ++i) {
    put_le(out72 + 8 + 8 * i, head.touched[kMarked[i]]);
  }
  put_le(out72 + 32, head.next_seq);
  std::memcpy(out72 + 40, head.hash.data(), head.hash.size());
}

Status store_error(std::string_view doing, const rocksdb::Status& status) {
  return fail(status.IsNoSpace() ? Errc::StorageFull : Errc::Internal,
              fmt::format("{}: {}", doing, status.ToString()));
}

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::filesystem::path& dir,
                                                     const RocksLogOptions& options, Mode mode) {
  std::unique_ptr<RocksStore> store(new RocksStore);
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::DBOptions tuned = db_options(options, mode);
  const rocksdb::Status status =
      mode == Mode::ReadWrite
          ? rocksdb::DB::Open(tuned, dir.string(), columns(options), &handles, &db)
          : rocksdb::DB::OpenForReadOnly(tuned, dir.string(), columns(options), &handles, &db);
  if (!status.ok()) {
    base::Error error = store_error("open the log's store in " + dir.string(), status).error();
    if (status.IsCorruption()) error.message += unreadable_tables(dir);
    return fail(std::move(error));
  }
  store->db_.reset(db);
  std::copy(handles.begin(), handles.end(), store->columns_.begin());
  return store;
}

bool RocksStore::unfinished(const std::filesystem::path& dir, const RocksLogOptions& options) {
  std::vector<std::string> names;
  const auto status =
      rocksdb::DB::ListColumnFamilies(db_options(options, Mode::Peek), dir.string(), &names);
  return status.ok() && names.size() < columns(options).size();
}

RocksStore::~RocksStore() {
  if (!db_) return;
  for (auto* column : columns_) {
    if (const auto status = db_->DestroyColumnFamilyHandle(column); !status.ok()) continue;
  }
  if (const auto status = db_->Close(); !status.ok()) return;  // all that counts was synced
}

Result<std::optional<std::string>> RocksStore::get(Column c, std::string_view key) const {
  std::string value;
  const auto status = db_->Get(rocksdb::ReadOptions(), column(c), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) {
    return fail(store_error(fmt::format("read {}", column(c)->GetName()), status).error());
  }
  return std::optional<std::string>(std::move(value));
}

Result<RocksStore::State> RocksStore::make_identity() {
  State state;
  base::SystemIdSource ids;
  state.log.log_id = base::to_string(ids.next());
  std::string identity;
  append_le(identity, kStoreFormat);
  append_le(identity, state.log.epoch);
  identity += state.log.log_id;
  std::array<char, kStoreHeadBytes> head{};
  encode_store_head(state.head, head.data());

  rocksdb::WriteBatch batch;
  rocksdb::Status status = batch.Put(column(kMeta), slice(kIdentityKey), slice(identity));
  if (status.ok()) status = batch.Put(column(kMeta), slice(kHeadKey), {head.data(), head.size()});
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (status.ok()) status = db_->Write(synced, &batch);
  if (!status.ok()) return fail(store_error("write the log's identity", status).error());
  return state;
}

Result<std::optional<RocksStore::State>> RocksStore::state(
    const std::optional<Witness>& witness) const {
  const auto identity = get(kMeta, kIdentityKey);
  if (!identity) return fail(identity.error());
  const auto head = get(kMeta, kHeadKey);
  if (!head) return fail(head.error());
  State state;
  if (*identity && *head) {
    const std::string& id = **identity;
    if (id.size() != kIdentityBytes || get_le<std::uint32_t>(id.data()) != kStoreFormat ||
        (*head)->size() != kStoreHeadBytes) {
      return fail(
          damaged(fmt::format("{} has a format that this version does not know", db_->GetName()))
              .error());
    }
    state.log.epoch = get_le<std::uint64_t>(id.data() + 4);
    state.log.log_id = id.substr(12);
    state.head = decode_store_head((*head)->data());
  }
  state.log.next_seq = state.head.next_seq;
  state.log.hash = state.head.hash;
  // In this order: what is missing as a whole is said first.
  if (witness) {
    if (auto ok = check_witness(state.head, *witness); !ok) return fail(ok.error());
  }
  if (auto ok = check_last_record(state.head); !ok) return fail(ok.error());
  if (auto ok = check_columns(state.head); !ok) return fail(ok.error());
  if (!*identity || !*head) return std::optional<State>();
  return std::optional<State>(std::move(state));
}

Status RocksStore::check_witness(const StoreHead& head, const Witness& witness) const {
  if (head.batch < witness.batch) {
    return damaged(
        fmt::format("{} ends with batch {} (next seq {}), but batch {} (next seq {}) was durable: "
                    "acknowledged records are damaged or missing at its end",
                    db_->GetName(), head.batch, head.next_seq, witness.batch, witness.next_seq));
  }
  if (head.batch == witness.batch &&
      (head.next_seq != witness.next_seq || head.hash != witness.hash)) {
    return damaged(
        fmt::format("{} and its witness differ about batch {}: one of them belongs to "
                    "another log",
                    db_->GetName(), head.batch));
  }
  return {};
}

Status RocksStore::check_columns(const StoreHead& head) const {
  for (const Column c : kMarked) {
    const auto marker = get(c, "");
    if (!marker) return fail(marker.error());
    const bool whole = *marker && (*marker)->size() == sizeof(std::uint64_t);
    const std::uint64_t found = whole ? get_le<std::uint64_t>((*marker)->data()) : 0;
    if (found != head.touched[c]) {
      return damaged(
          fmt::format("{}: column {} ends with batch {} instead of {}: files of it are "
                      "missing",
                      db_->GetName(), column(c)->GetName(), found, head.touched[c]));
    }
  }
  return {};
}

Status RocksStore::check_last_record(const StoreHead& head) const {
  // From the last record, so that the cursor checks it against the one before it.
  auto cursor =
      RocksCursor::open(*this, head.next_seq > 1 ? head.next_seq - 1 : 1, head.next_seq, false);
  if (!cursor) return fail(cursor.error());
  LogHead found;
  Record record;
  for (;;) {
    const auto more = (*cursor)->next(record);
    if (!more) return fail(more.error());
    if (!*more) break;
    found.next_seq = record.next_seq();
    found.hash = record.hash;
  }
  if (found.next_seq != head.next_seq || found.hash != head.hash) {
    return damaged(fmt::format("{}: the records end at seq {}, the head says {}", db_->GetName(),
                               found.next_seq, head.next_seq));
  }
  return {};
}

std::string RocksStore::place_of(Seq seq) const {
  std::array<char, 8> key;
  put_be64(key.data(), seq);
  const std::string_view wanted(key.data(), key.size());
  std::vector<rocksdb::LiveFileMetaData> files;
  db_->GetLiveFilesMetaData(&files);
  for (const auto& file : files) {
    if (file.column_family_name == column(kRecords)->GetName() && file.smallestkey <= wanted &&
        wanted <= file.largestkey) {
      return file.db_path + file.name;
    }
  }
  return db_->GetName() + " (not in a table file yet)";
}

}  // namespace slipway::eventstore
