#include "eventstore/rocks_recovery.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "eventstore/durable_file.hpp"
#include "eventstore/wal_scan.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::Status;

struct Torn {
  fs::path file;
  WalScan scan;
};

constexpr std::size_t kSector = 512;  // disks write these whole or not at all

// What the files alone say.
struct Findings {
  std::optional<Torn> wal;       // at most the newest
  std::optional<Torn> manifest;  // torn or damaged: look before opening
};

Status damage(const fs::path& file, std::uint64_t offset, std::string_view what) {
  return fail(Errc::Internal,
              fmt::format("{} is damaged at offset {}: {}", file.string(), offset, what));
}

// The store's write-ahead logs, oldest first.
std::vector<fs::path> wal_files(const fs::path& dir) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(dir)) {
    const std::string stem = entry.path().stem().string();
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (entry.path().extension() == ".log" && parsed.ptr == stem.data() + stem.size()) {
      found.emplace_back(number, entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> files;
  for (auto& [number, path] : found) files.push_back(std::move(path));
  return files;
}

Result<WalScan> scan_file(const fs::path& file) {
  const auto mapped = MappedFile::open(file);
  if (!mapped) return fail(mapped.error());
  return scan_wal(mapped->bytes());
}

// A log is left for a newer one only after its last batch was synced, and a torn tail is cut before
// the store opens: so only the newest may have one.
Status scan_wals(const fs::path& dir, Findings& findings) {
  const auto files = wal_files(dir);
  for (const fs::path& file : files) {
    const auto scan = scan_file(file);
    if (!scan) return fail(scan.error());
    if (scan->damage) return damage(file, scan->damage->offset, scan->damage->what);
    if (!scan->torn()) continue;
    if (file != files.back()) return damage(file, scan->whole_bytes, "a newer log follows it");
    findings.wal = Torn{file, *scan};
  }
  return {};
}

Status scan_manifest(const fs::path& dir, Findings& findings) {
  auto current = read_file(dir / "CURRENT");
  if (!current) return fail(current.error());
  while (current->ends_with('\n')) current->pop_back();
  const fs::path file = dir / *current;
  if (current->empty() || !fs::is_regular_file(file)) {
    return damage(dir / "CURRENT", 0, "it names no file");
  }
  const auto scan = scan_file(file);
  if (!scan) return fail(scan.error());
  if (scan->damage || scan->torn()) findings.manifest = Torn{file, *scan};
  return {};
}

std::string about(const Torn& torn) {
  return fmt::format("{} is whole up to offset {} of {}", torn.file.string(),
                     torn.scan.damage ? torn.scan.damage->offset : torn.scan.whole_bytes,
                     torn.scan.file_bytes);
}

// Whether what is left without the torn bytes is all that was acknowledged. Changes no file, for if
// it is not, the files are evidence.
Status check_before_cutting(const fs::path& dir, const RocksLogOptions& options,
                            const Findings& findings, const std::optional<Witness>& witness,
                            bool witnessed) {
  // The first start was cut short. There is no witness of a log before its store is made.
  if (!witnessed && RocksStore::unfinished(dir, options)) return {};
  std::string suspects;
  if (findings.wal) suspects += about(*findings.wal);
  if (findings.manifest) suspects += (suspects.empty() ? "" : "; ") + about(*findings.manifest);
  const auto add = [&](base::Error error) {
    error.message += " (" + suspects + ")";
    return fail(std::move(error));
  };
  auto peek = RocksStore::open(dir, options, RocksStore::Mode::Peek);
  if (!peek) return add(peek.error());
  const auto state = (*peek)->state(witness);
  if (!state) return add(state.error());
  return {};
}

Status cut(const Torn& torn, RecoveryReport& report) {
  if (auto ok = truncate_file(torn.file, torn.scan.whole_bytes); !ok) return ok;
  report.cuts.push_back(
      {torn.file.string(), torn.scan.whole_bytes, torn.scan.file_bytes - torn.scan.whole_bytes});
  return {};
}

// Whether a sector of the tail was never written: a power cut leaves that, a flipped bit does not.
bool lacks_a_sector(std::string_view tail, std::uint64_t offset) {
  while (!tail.empty()) {
    const std::string_view sector = tail.substr(0, kSector - offset % kSector);
    if (sector.find_first_not_of('\0') == std::string_view::npos) return true;
    offset += sector.size();
    tail.remove_prefix(sector.size());
  }
  return false;
}

// The manifest's torn tail if it lacks sectors: the store, which bears one that is short, would
// refuse its checksum. Nothing hangs on it, for a change takes effect after the manifest's sync.
// (Two changes under one sync, the first torn and the second whole, still pass for damage.)
Result<std::string> unwritten_tail(const Torn& torn) {
  if (!torn.scan.torn()) return std::string();
  auto bytes = read_file(torn.file);
  if (!bytes) return fail(bytes.error());
  std::string tail = bytes->substr(torn.scan.whole_bytes);
  return lacks_a_sector(tail, torn.scan.whole_bytes) ? std::move(tail) : std::string();
}

Status put_back(const Torn& torn, std::string_view tail) {
  auto fd = open_file(torn.file, O_WRONLY | O_APPEND);
  if (!fd) return fail(fd.error());
  if (auto ok = write_all(*fd, tail, torn.file); !ok) return ok;
  return sync_file(*fd, torn.file);
}

// Cuts what a crash tore off the manifest and the newest log, if all that was acknowledged is there
// without it; else the files stay as they are.
Status cut_torn_tails(const fs::path& dir, const RocksLogOptions& options, const Findings& findings,
                      const std::optional<Witness>& witness, bool witnessed,
                      RecoveryReport& report) {
  std::string tail;
  if (findings.manifest) {
    auto unwritten = unwritten_tail(*findings.manifest);
    if (!unwritten) return fail(unwritten.error());
    tail = std::move(*unwritten);
    report.warnings.push_back(about(*findings.manifest));
  }
  if (!tail.empty()) {
    if (auto ok = cut(*findings.manifest, report); !ok) return ok;
  }
  if (auto ok = check_before_cutting(dir, options, findings, witness, witnessed); !ok) {
    if (tail.empty()) return ok;
    const auto back = put_back(*findings.manifest, tail);
    return back ? ok : back;
  }
  return findings.wal ? cut(*findings.wal, report) : Status{};
}

// Where the files say that there was a log, a new one is never made in its place.
Status refuse_to_replace(const fs::path& dir, bool witnessed, const RocksLogOptions& options) {
  if (witnessed) return damage(dir / "CURRENT", 0, "it is missing");
  for (const auto& entry : fs::directory_iterator(dir)) {
    const auto kind = entry.path().extension();  // the store makes CURRENT before any of these
    if (kind == ".sst" || kind == ".log") return damage(dir / "CURRENT", 0, "it is missing");
  }
  if (!options.create_if_missing) {
    return fail(Errc::NotFound, fmt::format("there is no log in {}", dir.string()));
  }
  return {};
}

}  // namespace

Result<RecoveredLog> recover(const fs::path& dir, const RocksLogOptions& options,
                             const std::optional<Witness>& witness, bool witnessed) {
  RecoveredLog log;
  if (!fs::exists(dir / "CURRENT")) {
    if (auto ok = refuse_to_replace(dir, witnessed, options); !ok) return fail(ok.error());
  } else {
    Findings findings;
    if (auto ok = scan_wals(dir, findings); !ok) return fail(ok.error());
    if (auto ok = scan_manifest(dir, findings); !ok) return fail(ok.error());
    if (findings.wal || findings.manifest) {
      auto ok = cut_torn_tails(dir, options, findings, witness, witnessed, log.report);
      if (!ok) return fail(ok.error());
    }
  }
  auto store = RocksStore::open(dir, options, RocksStore::Mode::ReadWrite);
  if (!store) return fail(store.error());
  log.store = std::move(*store);
  auto state = log.store->state(witness);
  if (!state) return fail(state.error());
  log.report.created = !*state;
  if (*state) {
    log.state = std::move(**state);
  } else {
    auto made = log.store->make_identity();
    if (!made) return fail(made.error());
    log.state = std::move(*made);
  }
  return log;
}

}  // namespace slipway::eventstore
