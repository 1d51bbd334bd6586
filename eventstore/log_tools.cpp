#include "eventstore/log_tools.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "core/base/fields.hpp"
#include "eventstore/durable_file.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::Status;

constexpr std::uint64_t kProgressEvery = 100'000;
constexpr const char* kInfoFile = "backup.json";

// Calls `each` for every record; the report says how far it came.
template <class Each>
VerifyReport walk(const EventLog& log, const VerifyOptions& options, Each each) {
  VerifyReport report;
  const auto start = std::chrono::steady_clock::now();
  const auto finish = [&] {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    report.seconds = taken.count();
  };
  auto cursor = log.read(log.first_seq());
  if (!cursor) {
    report.damage = cursor.error().message;
    return report;
  }
  Record record;
  while (!options.stop.stop_requested()) {
    const auto more = (*cursor)->next(record);
    if (!more) report.damage = more.error().message;
    if (!more || !*more) {
      report.complete = more.has_value();
      break;
    }
    ++report.records;
    report.events += record.event_count;
    report.payload_bytes += record.payload.size();
    report.next_seq = record.next_seq();
    report.hash = record.hash;
    each(record);
    if (options.progress && report.records % kProgressEvery == 0) {
      finish();
      options.progress(report);
    }
  }
  finish();
  return report;
}

Status require_empty(const fs::path& dir) {
  std::error_code ignored;
  if (!fs::exists(dir) || fs::is_empty(dir, ignored)) return {};
  return fail(Errc::InvalidArgument, fmt::format("{} is not an empty directory", dir.string()));
}

RocksLogOptions only_reading() {
  RocksLogOptions options;
  options.create_if_missing = false;
  options.compact_in_background = false;
  return options;
}

// Opens the copy, which recovers it, and checks all of it.
Result<BackupInfo> check_copy(const fs::path& dir, const VerifyOptions& options) {
  const auto log = RocksLog::open(dir, only_reading());
  if (!log) return fail(log.error());
  const VerifyReport report = verify(**log, options);
  if (report.damage) return fail(Errc::Internal, *report.damage);
  if (!report.complete) return fail(Errc::Cancelled, "stopped");
  const LogHead& head = (*log)->head();
  return BackupInfo{head.log_id, head.epoch, head.next_seq, base::hex(head.hash), report.records};
}

Status write_info(const fs::path& dir, const BackupInfo& info) {
  base::JsonWriter json;
  base::write_json(json, info);
  return write_file_atomically(dir / kInfoFile, json.text() + "\n");
}

Result<BackupInfo> read_info(const fs::path& dir) {
  const auto text = read_file(dir / kInfoFile);
  if (!text) return fail(Errc::NotFound, dir.string() + " holds no complete backup");
  base::JsonParser parser;
  const auto json = parser.parse(*text);
  BackupInfo info;
  if (!json || !base::read_json(*json, info)) {
    return fail(Errc::Internal, (dir / kInfoFile).string() + " makes no sense");
  }
  return info;
}

Status copy_store(const fs::path& from, const fs::path& to) {
  if (auto ok = make_directories(to); !ok) return ok;
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (name == "LOCK" || name.starts_with("LOG")) continue;  // the store's lock and chatter
    if (auto ok = copy_file_durably(entry.path(), to / name); !ok) return ok;
  }
  return sync_directory(to);
}

void remove_tree(const fs::path& dir) {
  std::error_code ignored;  // what is left over is in the way of the next try, which says so
  fs::remove_all(dir, ignored);
}

Result<BackupInfo> restore_beside(const fs::path& backup_dir, const fs::path& beside,
                                  const VerifyOptions& options) {
  const auto info = read_info(backup_dir);
  if (!info) return fail(info.error());
  if (auto ok = copy_store(backup_dir / "store", beside / "store"); !ok) return fail(ok.error());
  auto found = check_copy(beside, options);
  if (!found) return found;
  if (found->log_id != info->log_id || found->next_seq != info->next_seq ||
      found->hash != info->hash) {
    return fail(
        Errc::Internal,
        fmt::format("the backup says it ends before seq {} with hash {}, but it ends before "
                    "seq {} with hash {}",
                    info->next_seq, info->hash, found->next_seq, found->hash));
  }
  return found;
}

Status move_into_place(const fs::path& beside, const fs::path& dir) {
  std::error_code failed;
  fs::remove(dir, failed);  // an empty directory, or nothing
  fs::rename(beside, dir, failed);
  if (failed) {
    return fail(Errc::Internal, fmt::format("rename {}: {}", beside.string(), failed.message()));
  }
  return sync_directory(dir.parent_path());
}

}  // namespace

VerifyReport verify(const EventLog& log, const VerifyOptions& options) {
  return walk(log, options, [](const Record&) {});
}

VerifyReport verify(const RocksLog& log, const VerifyOptions& options) {
  std::vector<bool> starts;  // a bit for each event: whether a record begins with it
  VerifyReport report = walk(log, options, [&](const Record& record) {
    starts.resize(record.next_seq(), false);
    starts[record.seq] = true;
  });
  if (!report.complete) return report;
  std::optional<Seq> stray;
  auto ok = log.for_each_indexed([&](std::string_view, Seq seq) {
    ++report.index_entries;
    if (seq < starts.size() && !starts[seq] && !stray) stray = seq;  // later ones are newer
  });
  if (ok) ok = log.verify_files();
  if (!ok) report.damage = ok.error().message;
  if (stray) report.damage = fmt::format("the stream index names seq {}: no record", *stray);
  report.complete = !report.damage;
  return report;
}

Result<BackupInfo> backup(const RocksLog& log, const fs::path& dir, const VerifyOptions& options) {
  if (auto ok = require_empty(dir); !ok) return fail(ok.error());
  if (auto ok = log.checkpoint(dir); !ok) return fail(ok.error());
  auto info = check_copy(dir, options);
  Status written = info ? write_info(dir, *info) : Status{};
  if (info && written) return info;
  remove_tree(dir);
  return info ? fail(written.error()) : fail(info.error());
}

Result<BackupInfo> restore(const fs::path& backup_dir, const fs::path& dir,
                           const VerifyOptions& options) {
  if (auto ok = require_empty(dir); !ok) return fail(ok.error());
  const fs::path beside = dir.string() + ".restoring";
  remove_tree(beside);
  auto info = restore_beside(backup_dir, beside, options);
  if (!info) {
    remove_tree(beside);
    return info;
  }
  if (auto ok = move_into_place(beside, dir); !ok) return fail(ok.error());
  return info;
}

}  // namespace slipway::eventstore
