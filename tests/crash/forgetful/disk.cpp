#include "disk.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

namespace slipway::forgetful {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kDirectoryMode = S_IFDIR | 0750;
// Of a file's writes: after so many, on average, the disk writes some sectors unasked, as it would
// after some seconds. So what a cut finds may be older than the last write, and not yet the sync.
constexpr double kUnasked = 1.0 / 32;

std::int64_t number(Inode inode) { return static_cast<std::int64_t>(inode); }

std::string read_whole(const fs::path& file) {
  std::ostringstream bytes;
  std::ifstream in(file, std::ios::binary);
  if (in.peek() != std::ifstream::traits_type::eof()) bytes << in.rdbuf();
  return std::move(bytes).str();
}

}  // namespace

Disk::Disk(const DiskOptions& options) : options_(options), random_(options.seed) {
  at(add(kDirectoryMode)).links = 1;
}

// ---- the image ----

void Disk::load(const fs::path& from) {
  load_directory(from, kRoot);
  sync_all();
}

void Disk::load_directory(const fs::path& from, Inode dir) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const auto permissions = static_cast<mode_t>(entry.status().permissions());
    const mode_t kind = entry.is_directory() ? S_IFDIR : S_IFREG;
    const auto made = create(dir, entry.path().filename().string(), kind | permissions);
    const auto inode = static_cast<Inode>(made);
    if (entry.is_directory()) {
      load_directory(entry.path(), inode);
    } else {
      write(inode, 0, read_whole(entry.path()));
    }
  }
}

void Disk::save(const fs::path& to) const {
  std::map<Inode, fs::path> saved;
  save_directory(to, kRoot, saved);
}

void Disk::save_directory(const fs::path& to, Inode dir, std::map<Inode, fs::path>& saved) const {
  fs::create_directories(to);
  for (const auto& [name, inode] : at(dir).kept_entries) {
    const Node& node = at(inode);
    const fs::path path = to / name;
    const auto [first, fresh] = saved.try_emplace(inode, path);
    if (S_ISDIR(node.mode)) {
      save_directory(path, inode, saved);
    } else if (fresh) {
      std::ofstream(path, std::ios::binary) << node.kept;
    } else {
      fs::create_hard_link(first->second, path);
    }
    fs::permissions(path, static_cast<fs::perms>(node.mode & 07777));
  }
}

// ---- names ----

Inode Disk::add(mode_t mode) {
  nodes_.emplace_back().mode = mode;
  touch(nodes_.size());
  return nodes_.size();
}

void Disk::touch(Inode inode) { clock_gettime(CLOCK_REALTIME, &at(inode).changed); }

std::int64_t Disk::find(Inode dir, const std::string& name) const {
  const auto found = at(dir).entries.find(name);
  return found == at(dir).entries.end() ? -ENOENT : number(found->second);
}

void Disk::change(NameChange change) {
  for (const auto& [dir, name, target] : change) {
    auto& entries = at(dir).entries;
    if (const auto old = entries.find(name); old != entries.end()) {
      --at(old->second).links;
      entries.erase(old);
    }
    if (target != 0) {
      entries[name] = target;
      ++at(target).links;
    }
    touch(dir);
  }
  pending_.push_back(std::move(change));
}

std::int64_t Disk::create(Inode dir, const std::string& name, mode_t mode) {
  if (find(dir, name) > 0) return -EEXIST;
  const Inode made = add(mode);
  change({{dir, name, made}});
  return number(made);
}

int Disk::link(Inode target, Inode dir, const std::string& name) {
  if (find(dir, name) > 0) return -EEXIST;
  change({{dir, name, target}});
  return 0;
}

int Disk::remove(Inode dir, const std::string& name, bool directory) {
  const auto found = find(dir, name);
  if (found < 0) return static_cast<int>(found);
  const Node& node = at(static_cast<Inode>(found));
  if (S_ISDIR(node.mode) != directory) return directory ? -ENOTDIR : -EISDIR;
  if (!node.entries.empty()) return -ENOTEMPTY;
  change({{dir, name, 0}});
  return 0;
}

int Disk::rename(Inode from, const std::string& name, Inode to, const std::string& new_name,
                 bool replace) {
  const auto moved = find(from, name);
  if (moved < 0) return static_cast<int>(moved);
  const auto there = find(to, new_name);
  if (there > 0 && !replace) return -EEXIST;
  if (there > 0 && !at(static_cast<Inode>(there)).entries.empty()) return -ENOTEMPTY;
  if (there == moved) return 0;
  change({{from, name, 0}, {to, new_name, static_cast<Inode>(moved)}});
  return 0;
}

// ---- files ----

struct stat Disk::about(Inode inode) const {
  const Node& node = at(inode);
  struct stat about {};
  about.st_ino = inode;
  about.st_mode = node.mode;
  about.st_nlink = node.links;
  about.st_size = static_cast<off_t>(node.bytes.size());
  about.st_blksize = 4096;
  about.st_blocks = static_cast<blkcnt_t>((node.bytes.size() + kSector - 1) / kSector);
  about.st_atim = about.st_mtim = about.st_ctim = node.changed;
  return about;
}

std::string_view Disk::read(Inode file, std::size_t offset, std::size_t size) const {
  const std::string_view bytes = at(file).bytes;
  return bytes.substr(std::min(offset, bytes.size()), size);
}

void Disk::write(Inode inode, std::size_t offset, std::string_view bytes) {
  Node& file = at(inode);
  touch(inode);
  if (bytes.empty()) return;
  const std::size_t end = offset + bytes.size();
  if (file.bytes.size() < end) file.bytes.resize(end);
  file.bytes.replace(offset, bytes.size(), bytes);
  for (std::size_t s = offset / kSector; s * kSector < end; ++s) file.dirty.insert(s);
  if (chance(kUnasked)) write_back(file, 0.5);
}

void Disk::truncate(Inode inode, std::size_t size) {
  Node& file = at(inode);
  touch(inode);
  file.bytes.resize(size);
  file.shortest = std::min(file.shortest, size);
  file.dirty.erase(file.dirty.lower_bound((size + kSector - 1) / kSector), file.dirty.end());
}

// Kept at once: nobody's data hangs on it.
void Disk::change_mode(Inode inode, mode_t permissions) {
  Node& node = at(inode);
  node.mode = (node.mode & S_IFMT) | (permissions & 07777);
  touch(inode);
}

// ---- durability ----

void Disk::sync(Inode inode) {
  Node& node = at(inode);
  if (S_ISREG(node.mode)) write_back(node, 1);
  if (options_.names == Names::Journal) {
    keep_all_names();
  } else if (S_ISDIR(node.mode)) {
    keep_names_of(inode);
  }
}

void Disk::sync_all() {
  keep_all_names();
  for (Node& node : nodes_) write_back(node, 1);
}

void Disk::keep(const NameChange& change) {
  for (const auto& [dir, name, target] : change) {
    auto& kept = at(dir).kept_entries;
    kept.erase(name);
    if (target != 0) kept[name] = target;
  }
}

void Disk::keep_all_names() {
  for (const NameChange& change : pending_) keep(change);
  pending_.clear();
}

// What was done to names of `dir`, and before that to the other names of the same renames.
void Disk::keep_names_of(Inode dir) {
  std::set<std::pair<Inode, std::string>> wanted;
  std::vector<bool> taken(pending_.size());
  for (std::size_t i = pending_.size(); i-- > 0;) {
    taken[i] = std::any_of(pending_[i].begin(), pending_[i].end(), [&](const Entry& e) {
      return e.dir == dir || wanted.contains({e.dir, e.name});
    });
    if (!taken[i]) continue;
    for (const Entry& e : pending_[i]) wanted.emplace(e.dir, e.name);
  }
  std::vector<NameChange> rest;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (taken[i]) {
      keep(pending_[i]);
    } else {
      rest.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(rest);
}

// Of each name's changes the first few, or (Journal) of all names' together.
void Disk::keep_some_names(CutReport& report) {
  using Order = std::pair<Inode, std::string>;
  std::set<Order> lost;
  const auto key = [&](const Entry& e) {
    return options_.names == Names::Posix ? Order(e.dir, e.name) : Order();
  };
  const double share = tendency();
  for (const NameChange& change : pending_) {
    const bool follows = std::none_of(change.begin(), change.end(),
                                      [&](const Entry& e) { return lost.contains(key(e)); });
    ++report.names_pending;
    if (follows && chance(share)) {
      keep(change);
      ++report.names_kept;
    } else {
      for (const Entry& e : change) lost.insert(key(e));
    }
  }
  pending_.clear();
}

// The disk writes some of what is dirty, in any order: `share` of it, 1 for all.
void Disk::write_back(Node& file, double share) {
  std::size_t limit = file.bytes.size();
  if (file.shortest < file.kept.size()) {
    // New content takes no place of old before the file was cut there.
    if (chance(share)) {
      file.kept.resize(file.shortest);
    } else {
      limit = file.shortest;
    }
  }
  const bool settled = limit == file.bytes.size();
  if (file.kept.size() < limit && chance(share)) {
    file.kept.resize(share < 1 && chance(0.5) ? between(file.kept.size(), limit) : limit);
  }
  limit = std::min(limit, file.kept.size());
  std::erase_if(file.dirty, [&](std::size_t sector) {
    const std::size_t begin = sector * kSector;
    if (begin >= limit || !chance(share)) return false;
    const std::size_t size = std::min(kSector, limit - begin);
    file.kept.replace(begin, size, file.bytes, begin, size);
    return begin + size == std::min(begin + kSector, file.bytes.size());
  });
  if (settled) file.shortest = file.bytes.size();
}

CutReport Disk::cut() {
  CutReport report;
  keep_some_names(report);
  for (Node& node : nodes_) {
    const std::size_t pending = node.dirty.size();
    if (pending > 0 || node.shortest < node.kept.size()) write_back(node, tendency());
    report.sectors_pending += pending;
    report.sectors_kept += pending - node.dirty.size();
    if (node.dirty.size() < pending && !node.dirty.empty()) ++report.files_torn;
    node.dirty.clear();
    node.bytes = node.kept;
    node.entries = node.kept_entries;
    node.shortest = node.bytes.size();
  }
  return report;
}

// ---- chance ----

bool Disk::chance(double probability) {
  if (probability >= 1) return true;  // no dice for a sync
  return std::uniform_real_distribution<>()(random_) < probability;
}

// Of one cut: nothing is kept, nearly all, or as a coin falls. Coins alone would hardly ever lose
// one of a hundred sectors, or all of them.
double Disk::tendency() {
  constexpr double kShares[] = {0, 0.1, 0.5, 0.9, 0.99, 0.9999};
  return kShares[std::uniform_int_distribution<std::size_t>(0, std::size(kShares) - 1)(random_)];
}

std::size_t Disk::between(std::size_t from, std::size_t to) {
  return std::uniform_int_distribution<std::size_t>(from, to)(random_);
}

}  // namespace slipway::forgetful
