// forgetful_fs MOUNTPOINT --from IMAGE --to IMAGE: a file system in memory that forgets at a power
// cut what was not synced. `setfattr -n user.power_cut -v N` on anything in it cuts the power N
// changes later: from then on every call fails, and the image `--to` holds what is left. SIGTERM
// unmounts; without a cut, all is kept.
// `setfattr -n user.fault -v "N CALL KIND"` on a directory lets one call on it or on a file in it
// fail, the N-th from then on (from 0; of a write also the next to that file): write or sync, with
// eio, enospc, or, a write, short. On the root it is one on anything.
#define FUSE_USE_VERSION 35
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fuse_lowlevel.h>
#include <linux/falloc.h>

#include "disk.hpp"

namespace slipway::forgetful {
namespace {

namespace fs = std::filesystem;

constexpr double kCached = 1e6;  // seconds: all changes come through the kernel, so it may remember
constexpr std::string_view kCutName = "user.power_cut";
constexpr std::string_view kFaultName = "user.fault";

struct Fault {
  std::string call;
  int error = 0;  // 0: half of it is written
  Inode within = kRoot;
  std::uint64_t calls_left = 0;
  // A long write comes in pieces. If one that is not the first fails, the kernel tells the program
  // of those that did not, and only its next write of the rest can tell it of the error.
  Inode failing = 0;
};

// One thread serves: calls come one after another, and a cut falls between two of them.
struct Machine {
  Disk disk;
  fs::path image;
  bool on = true;
  std::optional<std::uint64_t> changes_left;  // until the cut
  std::optional<Fault> fault;

  void cut() {
    on = false;
    const CutReport r = disk.cut();
    disk.save(image);
    std::printf("cut names %zu/%zu sectors %zu/%zu torn %zu\n", r.names_kept, r.names_pending,
                r.sectors_kept, r.sectors_pending, r.files_torn);
    std::fflush(stdout);
  }
  // The fault of this call, if it is the one.
  std::optional<Fault> faulty(std::string_view call, Inode inode) {
    if (!fault || fault->call != call) return std::nullopt;
    if (fault->failing != 0) {
      return fault->failing == inode ? std::exchange(fault, std::nullopt) : std::nullopt;
    }
    const std::string name = name_within(fault->within, inode);
    if (name.empty() || fault->calls_left-- != 0) return std::nullopt;
    std::printf("fault %s %s %s\n", fault->call.c_str(), name.c_str(),
                fault->error == 0 ? "short" : std::strerror(fault->error));
    std::fflush(stdout);
    if (call != "write" || fault->error == 0) return std::exchange(fault, std::nullopt);
    fault->failing = inode;
    return fault;
  }
  // "." for the directory itself, and for anything if that is the root; empty: it is not in it.
  std::string name_within(Inode directory, Inode inode) const {
    if (directory == kRoot || directory == inode) return ".";
    for (const auto& [name, target] : disk.entries(directory)) {
      if (target == inode) return name;
    }
    return {};
  }
  // Whether there still is power for one more change.
  bool change() {
    if (on && changes_left && (*changes_left)-- == 0) cut();
    return on;
  }
};

Machine& machine(fuse_req_t request) { return *static_cast<Machine*>(fuse_req_userdata(request)); }

void reply_entry(fuse_req_t request, std::int64_t found, const fuse_file_info* file = nullptr) {
  if (found < 0) {
    fuse_reply_err(request, static_cast<int>(-found));
    return;
  }
  fuse_entry_param entry{};
  entry.ino = static_cast<Inode>(found);
  entry.attr = machine(request).disk.about(entry.ino);
  entry.attr_timeout = entry.entry_timeout = kCached;
  if (file != nullptr) {
    fuse_reply_create(request, &entry, file);
  } else {
    fuse_reply_entry(request, &entry);
  }
}

void dead(fuse_req_t request) { fuse_reply_err(request, EIO); }

// ---- names ----

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Machine& m = machine(request);
  m.on ? reply_entry(request, m.disk.find(parent, name)) : dead(request);
}

void make(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  Machine& m = machine(request);
  m.change() ? reply_entry(request, m.disk.create(parent, name, mode)) : dead(request);
}

void make_directory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  make(request, parent, name, S_IFDIR | mode, 0);
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* file) {
  Machine& m = machine(request);
  file->keep_cache = 1;
  m.change() ? reply_entry(request, m.disk.create(parent, name, mode), file) : dead(request);
}

void add_link(fuse_req_t request, fuse_ino_t target, fuse_ino_t parent, const char* name) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  const int failed = m.disk.link(target, parent, name);
  reply_entry(request, failed != 0 ? failed : static_cast<std::int64_t>(target));
}

void unlink_file(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Machine& m = machine(request);
  fuse_reply_err(request, m.change() ? -m.disk.remove(parent, name, false) : EIO);
}

void remove_directory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Machine& m = machine(request);
  fuse_reply_err(request, m.change() ? -m.disk.remove(parent, name, true) : EIO);
}

void rename_entry(fuse_req_t request, fuse_ino_t from, const char* name, fuse_ino_t to,
                  const char* new_name, unsigned flags) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  if ((flags & ~unsigned{RENAME_NOREPLACE}) != 0) return void(fuse_reply_err(request, EINVAL));
  fuse_reply_err(request, -m.disk.rename(from, name, to, new_name, flags == 0));
}

// ---- directories: the names are those of the moment it was opened ----

using Listing = std::vector<std::pair<std::string, Inode>>;

void open_directory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  Machine& m = machine(request);
  if (!m.on) return dead(request);
  auto names = std::make_unique<Listing>(Listing{{".", inode}, {"..", kRoot}});
  for (const auto& entry : m.disk.entries(inode)) names->push_back(entry);
  file->fh = reinterpret_cast<std::uint64_t>(names.release());
  fuse_reply_open(request, file);
}

void read_directory(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset,
                    fuse_file_info* file) {
  Machine& m = machine(request);
  if (!m.on) return dead(request);
  const auto& names = *reinterpret_cast<Listing*>(file->fh);
  std::string out(size, '\0');
  std::size_t used = 0;
  for (auto i = static_cast<std::size_t>(offset); i < names.size(); ++i) {
    const struct stat about = m.disk.about(names[i].second);
    const auto length =
        fuse_add_direntry(request, out.data() + used, size - used, names[i].first.c_str(), &about,
                          static_cast<off_t>(i + 1));
    if (length > size - used) break;
    used += length;
  }
  fuse_reply_buf(request, out.data(), used);
}

void release_directory(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  const std::unique_ptr<Listing> owned(reinterpret_cast<Listing*>(file->fh));
  fuse_reply_err(request, 0);
}

// ---- files ----

void get_attributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  Machine& m = machine(request);
  if (!m.on) return dead(request);
  const struct stat about = m.disk.about(inode);
  fuse_reply_attr(request, &about, kCached);
}

void set_attributes(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int which,
                    fuse_file_info* file) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  if ((which & FUSE_SET_ATTR_SIZE) != 0) {
    m.disk.truncate(inode, static_cast<std::size_t>(wanted->st_size));
  }
  if ((which & FUSE_SET_ATTR_MODE) != 0) m.disk.change_mode(inode, wanted->st_mode);
  get_attributes(request, inode, file);  // owners and times are nobody's business here
}

// The kernel leaves O_TRUNC to us, in this same call.
void open_file(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  Machine& m = machine(request);
  const bool truncates = (file->flags & O_TRUNC) != 0;
  if (!(truncates ? m.change() : m.on)) return dead(request);
  if (truncates) m.disk.truncate(inode, 0);
  file->keep_cache = 1;
  fuse_reply_open(request, file);
}

void read_file(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
               fuse_file_info*) {
  Machine& m = machine(request);
  if (!m.on) return dead(request);
  const auto bytes = m.disk.read(inode, static_cast<std::size_t>(offset), size);
  fuse_reply_buf(request, bytes.data(), bytes.size());
}

void write_file(fuse_req_t request, fuse_ino_t inode, const char* bytes, std::size_t size,
                off_t offset, fuse_file_info*) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  if (const auto fault = m.faulty("write", inode)) {
    if (fault->error != 0) return void(fuse_reply_err(request, fault->error));
    size = (size + 1) / 2;
  }
  m.disk.write(inode, static_cast<std::size_t>(offset), {bytes, size});
  fuse_reply_write(request, size);
}

// Space set aside is not modelled, so giving some back is nothing to do either.
void allocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
              fuse_file_info*) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  const auto size = m.disk.about(inode).st_size;
  const bool grows = (mode & FALLOC_FL_KEEP_SIZE) == 0 && offset + length > size;
  if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0 && offset < size) {
    return void(fuse_reply_err(request, EOPNOTSUPP));
  }
  if (grows) m.disk.truncate(inode, static_cast<std::size_t>(offset + length));
  fuse_reply_err(request, 0);
}

void sync_inode(fuse_req_t request, fuse_ino_t inode, int, fuse_file_info*) {
  Machine& m = machine(request);
  if (!m.change()) return dead(request);
  if (const auto fault = m.faulty("sync", inode))
    return void(fuse_reply_err(request, fault->error));
  m.disk.sync(inode);
  fuse_reply_err(request, 0);
}

// ---- the whole ----

void tell_space(fuse_req_t request, fuse_ino_t) {
  if (!machine(request).on) return dead(request);
  struct statvfs about {};
  about.f_bsize = about.f_frsize = 4096;
  about.f_blocks = about.f_bfree = about.f_bavail = (64ULL << 30U) / about.f_frsize;
  about.f_files = about.f_ffree = 1U << 20U;
  about.f_namemax = 255;
  fuse_reply_statfs(request, &about);
}

void order_cut(fuse_req_t request, std::uint64_t changes) {
  machine(request).changes_left = changes;
  if (changes == 0) machine(request).change();
  fuse_reply_err(request, 0);
}

void order_fault(fuse_req_t request, Inode within, std::uint64_t calls, std::string_view which) {
  static const std::map<std::string_view, std::pair<std::string, int>> kFaults = {
      {" write eio", {"write", EIO}},
      {" write enospc", {"write", ENOSPC}},
      {" write short", {"write", 0}},
      {" sync eio", {"sync", EIO}},
      {" sync enospc", {"sync", ENOSPC}}};
  const auto known = kFaults.find(which);
  if (known == kFaults.end()) return void(fuse_reply_err(request, EOPNOTSUPP));
  machine(request).fault = Fault{known->second.first, known->second.second, within, calls};
  fuse_reply_err(request, 0);
}

void take_order(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value,
                std::size_t size, int) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(value, value + size, number);
  const std::string_view rest(parsed.ptr, static_cast<std::size_t>(value + size - parsed.ptr));
  const bool is_number = size > 0 && parsed.ec == std::errc();
  if (is_number && name == kCutName && rest.empty()) return order_cut(request, number);
  if (is_number && name == kFaultName) return order_fault(request, inode, number, rest);
  fuse_reply_err(request, EOPNOTSUPP);
}

constexpr fuse_lowlevel_ops kCalls = {
    .lookup = lookup,
    .getattr = get_attributes,
    .setattr = set_attributes,
    .mknod = make,
    .mkdir = make_directory,
    .unlink = unlink_file,
    .rmdir = remove_directory,
    .rename = rename_entry,
    .link = add_link,
    .open = open_file,
    .read = read_file,
    .write = write_file,
    .fsync = sync_inode,
    .opendir = open_directory,
    .readdir = read_directory,
    .releasedir = release_directory,
    .fsyncdir = sync_inode,
    .statfs = tell_space,
    .setxattr = take_order,
    .create = create,
    .fallocate = allocate,
};

struct Arguments {
  std::string mountpoint, from, to;
  DiskOptions disk;
};

int serve(const Arguments& arguments) {
  Machine machine{.disk = Disk(arguments.disk), .image = arguments.to};
  if (!arguments.from.empty()) machine.disk.load(arguments.from);
  const char* const words[] = {"forgetful_fs", "-ofsname=forgetful,default_permissions"};
  fuse_args args = FUSE_ARGS_INIT(std::size(words), const_cast<char**>(words));
  fuse_session* session = fuse_session_new(&args, &kCalls, sizeof kCalls, &machine);
  if (session == nullptr) return 1;
  int failed = 1;
  if (fuse_set_signal_handlers(session) == 0 &&
      fuse_session_mount(session, arguments.mountpoint.c_str()) == 0) {
    std::printf("ready %s\n", arguments.mountpoint.c_str());
    std::fflush(stdout);
    failed = fuse_session_loop(session);
    fuse_session_unmount(session);
  }
  fuse_remove_signal_handlers(session);
  fuse_session_destroy(session);
  fuse_opt_free_args(&args);
  if (machine.on) {
    machine.disk.sync_all();
    machine.disk.save(machine.image);
  }
  return failed < 0 ? 1 : 0;
}

}  // namespace
}  // namespace slipway::forgetful

int main(int argc, char** argv) {
  using slipway::forgetful::Names;
  slipway::forgetful::Arguments arguments;
  CLI::App app("A file system that forgets, at a power cut, what was not synced");
  app.add_option("mountpoint", arguments.mountpoint, "An empty directory")->required();
  app.add_option("--from", arguments.from, "The image that it begins with");
  app.add_option("--to", arguments.to, "Where the image that it ends with goes")->required();
  app.add_option("--seed", arguments.disk.seed, "Of what survives");
  app.add_option("--names", arguments.disk.names, "What a sync says of names: posix or journal")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Names>{{"posix", Names::Posix}, {"journal", Names::Journal}}));
  CLI11_PARSE(app, argc, argv);
  return slipway::forgetful::serve(arguments);
}
