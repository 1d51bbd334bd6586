#pragma once
// A disk that forgets: what a file system shows, and beside it what would be found after a power
// cut.
#include <sys/stat.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::forgetful {

using Inode = std::uint64_t;
constexpr Inode kRoot = 1;  // FUSE's number for it

// What a sync of one thing says of the names made, moved and removed before it.
enum class Names {
  Posix,    // nothing: only a sync of a name's directory keeps it, and names are kept in any order
  Journal,  // as ext4 and xfs: changes of names are kept in their order, and any sync keeps them
            // all
};

struct DiskOptions {
  std::uint64_t seed = 1;
  Names names = Names::Posix;
};

// How much of what was not synced a cut has kept.
struct CutReport {
  std::size_t names_pending = 0, names_kept = 0;
  std::size_t sectors_pending = 0, sectors_kept = 0;
  std::size_t files_torn = 0;  // in part old and in part new, or cut in the middle
};

// Not for two threads. Results are 0 or a length, or a negative errno, as FUSE wants them.
class Disk {
 public:
  // Sectors are written whole or not at all, as disks promise; all else may tear.
  static constexpr std::size_t kSector = 512;

  explicit Disk(const DiskOptions& options);

  // All below `from` becomes the content, and is durable.
  void load(const std::filesystem::path& from);
  // What is durable, into the empty directory `to`.
  void save(const std::filesystem::path& to) const;

  // ---- names; a new inode, or a negative errno ----
  std::int64_t find(Inode dir, const std::string& name) const;
  std::int64_t create(Inode dir, const std::string& name, mode_t mode);  // S_IFDIR or S_IFREG
  int link(Inode target, Inode dir, const std::string& name);
  int remove(Inode dir, const std::string& name, bool directory);
  int rename(Inode from, const std::string& name, Inode to, const std::string& new_name,
             bool replace);
  const std::map<std::string, Inode>& entries(Inode dir) const { return at(dir).entries; }

  // ---- files ----
  struct stat about(Inode inode) const;
  std::string_view read(Inode file, std::size_t offset, std::size_t size) const;
  void write(Inode file, std::size_t offset, std::string_view bytes);
  void truncate(Inode file, std::size_t size);
  void change_mode(Inode inode, mode_t permissions);

  // ---- durability ----
  void sync(Inode inode);  // a file's content, or a directory's names
  void sync_all();         // as an unmount does
  CutReport cut();         // what is durable is all there is from now on

 private:
  struct Node {
    mode_t mode = 0;
    nlink_t links = 0;
    struct timespec changed {};
    std::string bytes;                     // what is shown,
    std::map<std::string, Inode> entries;  // and
    std::string kept;                      // what would be found after a cut
    std::map<std::string, Inode> kept_entries;
    std::set<std::size_t> dirty;  // sectors in which `bytes` may differ from `kept`
    std::size_t shortest = 0;     // `bytes` was since the last sync; below kept.size(): truncated
  };
  // Where a name leads to from now on; 0: nowhere.
  struct Entry {
    Inode dir;
    std::string name;
    Inode target;
  };
  using NameChange = std::vector<Entry>;  // kept whole or not at all: a rename has two

  Node& at(Inode inode) { return nodes_[inode - 1]; }
  const Node& at(Inode inode) const { return nodes_[inode - 1]; }
  Inode add(mode_t mode);
  void touch(Inode inode);
  void load_directory(const std::filesystem::path& from, Inode dir);
  void save_directory(const std::filesystem::path& to, Inode dir,
                      std::map<Inode, std::filesystem::path>& saved) const;

  void change(NameChange change);
  void keep(const NameChange& change);
  void keep_names_of(Inode dir);
  void keep_all_names();
  void keep_some_names(CutReport& report);
  void write_back(Node& file, double share);
  bool chance(double probability);
  double tendency();
  std::size_t between(std::size_t from, std::size_t to);

  DiskOptions options_;
  std::mt19937_64 random_;
  // Never shrinks: a mount lives for seconds, and an open file outlives its name.
  std::deque<Node> nodes_;
  std::vector<NameChange> pending_;  // oldest first
};

}  // namespace slipway::forgetful
