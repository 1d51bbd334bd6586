#include "app/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;

constexpr std::size_t kMaxSecretBytes = 64 * 1024;

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// `$CREDENTIALS_DIRECTORY/name`, if `file` is a bare name and there is such a file.
std::string credential_path(const std::string& file) {
  const char* directory =
      std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT: read before threads write
  if (directory == nullptr || file.find('/') != std::string::npos) return {};
  const auto path = fmt::format("{}/{}", directory, file);
  return ::access(path.c_str(), F_OK) == 0 ? path : std::string();
}

bool read_all(int fd, std::string& out) {
  out.resize(kMaxSecretBytes + 1);
  std::size_t used = 0;
  while (used < out.size()) {
    const auto n = ::read(fd, out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  out.resize(used);
  return true;
}

}  // namespace

std::string secret_path(const SecretFile& file) {
  const auto credential = credential_path(file.path);
  return credential.empty() ? file.path : credential;
}

base::Result<base::Secret> read_secret(const SecretFile& file) {
  const auto credential = credential_path(file.path);
  const auto& path = credential.empty() ? file.path : credential;
  const File opened(path);
  if (opened.fd() < 0) {
    return fail(Errc::NotFound, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  struct stat info {};
  if (::fstat(opened.fd(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Errc::InvalidArgument, path + " is no file");
  }
  if (credential.empty() && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::Forbidden, fmt::format("{} may be read by others: chmod 600 {}", path, path));
  }
  std::string text;
  if (!read_all(opened.fd(), text)) {
    base::wipe(text);
    return fail(Errc::InvalidArgument, fmt::format("read {}: {}", path, std::strerror(errno)));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty() || text.size() > kMaxSecretBytes) {
    base::wipe(text);
    return fail(Errc::InvalidArgument, path + " is empty or longer than 64 KiB");
  }
  return base::Secret(std::move(text));
}

}  // namespace slipway::app
