#include "eventstore/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::Status;

constexpr std::size_t kReadBytes = 64U << 10U;
constexpr std::size_t kCopyBytes = 1U << 20U;

Status write_synced(const fs::path& path, std::string_view bytes, unsigned mode) {
  auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (!fd) return fail(fd.error());
  if (auto written = write_all(*fd, bytes, path); !written) return written;
  return sync_file(*fd, path);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status os_error(std::string_view doing, const fs::path& path) {
  const int number = errno;
  return fail(number == ENOSPC ? Errc::StorageFull : Errc::Internal,
              fmt::format("{} {}: {}", doing, path.string(), std::strerror(number)));
}

Result<Fd> open_file(const fs::path& path, int flags, unsigned mode) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.ok()) return fail(os_error("open", path).error());
  return fd;
}

Status write_all(const Fd& fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_file(const Fd& fd, const fs::path& path) {
  if (::fsync(fd.get()) != 0) return os_error("sync", path);
  return {};
}

Status sync_directory(const fs::path& dir) {
  auto fd = open_file(dir.empty() ? fs::path(".") : dir, O_RDONLY | O_DIRECTORY);
  if (!fd) return fail(fd.error());
  return sync_file(*fd, dir);
}

Status make_directories(const fs::path& dir) {
  if (dir.empty() || fs::is_directory(dir)) return {};
  if (auto parent = make_directories(dir.parent_path()); !parent) return parent;
  if (::mkdir(dir.c_str(), 0750) != 0 && errno != EEXIST) return os_error("make directory", dir);
  return sync_directory(dir.parent_path());
}

Result<std::string> read_file(const fs::path& path) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return fail(fd.error());
  std::string bytes;
  std::string buffer(kReadBytes, '\0');
  for (;;) {
    const ssize_t n = ::read(fd->get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(os_error("read", path).error());
    if (n == 0) return bytes;
    bytes.append(buffer, 0, static_cast<std::size_t>(n));
  }
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return fail(fd.error());
  struct stat about {};
  if (::fstat(fd->get(), &about) != 0) return fail(os_error("stat", path).error());
  MappedFile file;
  if (about.st_size == 0) return file;
  const auto size = static_cast<std::size_t>(about.st_size);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
  if (at == MAP_FAILED) return fail(os_error("map", path).error());
  ::madvise(at, size, MADV_SEQUENTIAL);
  file.bytes_ = {static_cast<const char*>(at), size};
  return file;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

Status write_file_atomically(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path tmp = path.string() + ".tmp";
  if (auto written = write_synced(tmp, bytes, mode); !written) return written;
  if (::rename(tmp.c_str(), path.c_str()) != 0) return os_error("rename", tmp);
  return sync_directory(path.parent_path());
}

Status create_file_atomically(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path tmp = path.string() + ".tmp";
  if (auto written = write_synced(tmp, bytes, mode); !written) return written;
  const Status made =
      ::link(tmp.c_str(), path.c_str()) == 0 ? Status{} : os_error("make", path);  // never replaces
  if (::unlink(tmp.c_str()) != 0) return os_error("remove", tmp);
  return made ? sync_directory(path.parent_path()) : made;
}

Status copy_file_durably(const fs::path& from, const fs::path& to) {
  auto in = open_file(from, O_RDONLY);
  if (!in) return fail(in.error());
  auto out = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!out) return fail(out.error());
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    const ssize_t n = ::read(in->get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("read", from);
    if (n == 0) return sync_file(*out, to);
    const std::string_view part(buffer.data(), static_cast<std::size_t>(n));
    if (auto written = write_all(*out, part, to); !written) return written;
  }
}

Status truncate_file(const fs::path& path, std::uint64_t size) {
  auto fd = open_file(path, O_RDWR);
  if (!fd) return fail(fd.error());
  if (::ftruncate(fd->get(), static_cast<off_t>(size)) != 0) return os_error("truncate", path);
  return sync_file(*fd, path);
}

Result<FileLock> FileLock::take(const fs::path& path) {
  auto fd = open_file(path, O_RDWR | O_CREAT);
  if (!fd) return fail(fd.error());
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(os_error("lock", path).error());
    char holder[32] = {};
    if (::pread(fd->get(), holder, sizeof holder - 1, 0) < 0) holder[0] = '?';
    return fail(Errc::ResourceBusy,
                fmt::format("{} is locked by process {}", path.string(), holder));
  }
  // For people only; the lock is what counts, so a failure to write is no matter.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd->get(), 0) != 0 ||
      ::pwrite(fd->get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    errno = 0;
  }
  return FileLock(std::move(*fd));
}

}  // namespace slipway::eventstore
