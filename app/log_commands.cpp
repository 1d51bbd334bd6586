#include <fmt/format.h>

#include <filesystem>

#include "app/commands.hpp"
#include "eventstore/log_tools.hpp"
#include "eventstore/rocks_log.hpp"

namespace slipway::app {
namespace {

namespace fs = std::filesystem;

const cli::Option kDataDir{"--data-dir", "", "DIR", "data directory of a stopped server",
                           {},           "", false, true};

cli::Exit failed(cli::Invocation& call, const base::Error& error) {
  call.io.err << error.message << "\n";
  return cli::Exit::Failed;
}

base::Result<std::unique_ptr<eventstore::RocksLog>> open_log(cli::Invocation& call) {
  eventstore::RocksLogOptions options;
  options.create_if_missing = false;
  return eventstore::RocksLog::open(fs::path(call.values.get("--data-dir")) / "log", options);
}

eventstore::VerifyOptions with_progress(cli::Invocation& call) {
  eventstore::VerifyOptions options;
  if (!call.io.err_tty) return options;
  options.progress = [&call](const eventstore::VerifyReport& report) {
    call.io.err << fmt::format("\r{} records, {:.0f}/s ", report.records,
                               report.records_per_second())
                << std::flush;
  };
  return options;
}

cli::Exit verify(cli::Invocation& call) {
  const auto log = open_log(call);
  if (!log) return failed(call, log.error());
  const auto report = eventstore::verify(**log, with_progress(call));
  if (call.io.err_tty) call.io.err << "\r";
  if (report.damage) {
    call.io.err << fmt::format("damage after {} records: {}\n", report.records, *report.damage);
    return cli::Exit::Failed;
  }
  call.io.out << fmt::format("{} records, {} events, {} bytes; chain {}; {:.0f} records/s\n",
                             report.records, report.events, report.payload_bytes,
                             base::hex(report.hash), report.records_per_second());
  return cli::Exit::Done;
}

void print(cli::Invocation& call, const eventstore::BackupInfo& info) {
  call.io.out << fmt::format("log {}, next seq {}, {} records, chain {}\n", info.log_id,
                             info.next_seq, info.records, info.hash);
}

cli::Exit backup(cli::Invocation& call) {
  const auto log = open_log(call);
  if (!log) return failed(call, log.error());
  const auto info = eventstore::backup(**log, call.values.get("DIR"), with_progress(call));
  if (!info) return failed(call, info.error());
  print(call, *info);
  return cli::Exit::Done;
}

cli::Exit restore(cli::Invocation& call) {
  const fs::path data_dir = call.values.get("--data-dir");
  std::error_code ec;
  fs::create_directories(data_dir, ec);
  const auto info =
      eventstore::restore(call.values.get("DIR"), data_dir / "log", with_progress(call));
  if (!info) return failed(call, info.error());
  print(call, *info);
  return cli::Exit::Done;
}

}  // namespace

void add_log_commands(cli::CommandTable& table) {
  table.add({.path = {"log", "verify"},
             .summary = "Check every record, the chain and the files of a log",
             .examples = {{"slipway log verify --data-dir /var/lib/slipway", "a stopped server's"}},
             .options = {kDataDir},
             .run = verify});
  table.add(
      {.path = {"log", "backup"},
       .summary = "Copy the log of a stopped server, consistent at one seq",
       .description = "A running server is asked by POST /core/v1/admin/backup. The master "
                      "key of the secrets is not in a backup: keep it apart.",
       .examples = {{"slipway log backup --data-dir /var/lib/slipway /backup/1", "into /backup/1"}},
       .arguments = {{"DIR", "where to; absent or empty"}},
       .options = {kDataDir},
       .run = backup});
  table.add({.path = {"log", "restore"},
             .summary = "Make a data directory from a backup",
             .examples = {{"slipway log restore --data-dir /var/lib/slipway /backup/1",
                           "from /backup/1"}},
             .arguments = {{"DIR", "the backup"}},
             .options = {kDataDir},
             .run = restore});
}

}  // namespace slipway::app
