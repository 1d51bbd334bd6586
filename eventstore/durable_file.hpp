#pragma once
// Files that must survive a power loss, and the lock that keeps a second process out. Errors name
// the path and the system's reason. Any thread, but one path by one thread.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"

namespace slipway::eventstore {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { close(); }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

base::Status os_error(std::string_view doing, const std::filesystem::path& path);

// `flags` as for open(2); O_CLOEXEC is added.
base::Result<Fd> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0644);
base::Status write_all(const Fd& fd, std::string_view bytes, const std::filesystem::path& path);
base::Status sync_file(const Fd& fd, const std::filesystem::path& path);
// After a file was made, renamed or removed in it: until then a power loss may undo that.
base::Status sync_directory(const std::filesystem::path& dir);
// Makes it and its missing parents, each synced into the one above.
base::Status make_directories(const std::filesystem::path& dir);
base::Result<std::string> read_file(const std::filesystem::path& path);

// A file's bytes where the kernel has them, for files too large to copy. Nobody may shorten it
// meanwhile.
class MappedFile {
 public:
  static base::Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::string_view bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  std::string_view bytes_;
};

// All or nothing: a temporary file beside it, synced, renamed over it, the directory synced.
base::Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                   unsigned mode = 0644);
// The same for a file that must not be there yet: one that is there is left alone, and refused. Not
// for two processes at once.
base::Status create_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                    unsigned mode);
// A copy whose bytes are on the disk when this returns; the directory is not synced.
base::Status copy_file_durably(const std::filesystem::path& from, const std::filesystem::path& to);
// Cuts the file to its first `size` bytes, synced.
base::Status truncate_file(const std::filesystem::path& path, std::uint64_t size);

// Held until destroyed or until the process ends, however it ends. A second holder is refused, in
// this process too, with ResourceBusy and the first one's process id.
class FileLock {
 public:
  static base::Result<FileLock> take(const std::filesystem::path& path);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace slipway::eventstore
