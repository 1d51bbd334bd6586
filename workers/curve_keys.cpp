#include "workers/curve_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace slipway::workers {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kKeyChars = 40;
using KeyText = std::array<char, kKeyChars + 1>;

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::InvalidArgument, fmt::format("cannot read {}", path));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

base::Status write_private_file(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    return fail(Errc::InvalidArgument, fmt::format("cannot make {}: it exists, or its folder "
                                                   "does not or may not be written",
                                                   path));
  }
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool synced = fsync(fd) == 0;
  if (close(fd) != 0 || !written || !synced) {
    return fail(Errc::InvalidArgument, fmt::format("cannot write {}", path));
  }
  return {};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (std::istringstream in{std::string(text)}; std::getline(in, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

}  // namespace

Result<std::string> generate_key_file(const std::string& path) {
  KeyText public_key{};
  KeyText secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    return fail(Errc::Internal, "this libzmq has no CURVE");
  }
  std::string text = fmt::format("public {}\nsecret {}\n", public_key.data(), secret_key.data());
  const auto status = write_private_file(path, text);
  base::wipe(text);
  explicit_bzero(secret_key.data(), secret_key.size());
  if (!status) return fail(status.error());
  return std::string(public_key.data());
}

Result<CurveKeys> read_key_file(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return fail(Errc::InvalidArgument, fmt::format("no key file {}", path));
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::InvalidArgument, fmt::format("{}: others may read it; chmod 600", path));
  }
  auto text = read_text(path);
  if (!text) return fail(text.error());
  auto keys = parse_key_file(*text, path);
  base::wipe(*text);
  return keys;
}

Result<CurveKeys> parse_key_file(std::string_view text, std::string_view name) {
  CurveKeys keys;
  for (std::string& line : split(text, '\n')) {
    if (line.starts_with("public ")) keys.public_key = line.substr(7);
    if (line.starts_with("secret ")) keys.secret_key = base::Secret(line.substr(7));
    base::wipe(line);
  }
  if (!is_public_key(keys.public_key) || !is_public_key(keys.secret_key.reveal())) {
    return fail(Errc::InvalidArgument, fmt::format("{}: not a slipway key file", name));
  }
  return keys;
}

bool is_public_key(std::string_view z85) {
  if (z85.size() != kKeyChars) return false;
  std::array<std::uint8_t, 32> raw;
  return zmq_z85_decode(raw.data(), std::string(z85).c_str()) != nullptr;
}

std::string workers_file_line(const AdmittedWorker& worker) {
  return fmt::format("{} {} {}", worker.name, fmt::join(worker.pools, ","), worker.public_key);
}

Result<std::vector<AdmittedWorker>> parse_workers_file(std::string_view text) {
  std::vector<AdmittedWorker> workers;
  int number = 0;
  std::string line;
  for (std::istringstream in{std::string(text)}; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const auto words = split(line, ' ');
    if (words.size() != 3 || !is_public_key(words[2])) {
      return fail(Errc::InvalidArgument,
                  fmt::format("workers file, line {}: want \"<name> <pools> <key>\"", number));
    }
    workers.push_back({words[0], split(words[1], ','), words[2]});
  }
  return workers;
}

Result<std::vector<AdmittedWorker>> read_workers_file(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return fail(text.error());
  return parse_workers_file(*text);
}

}  // namespace slipway::workers
