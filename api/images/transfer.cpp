#include "api/images/transfer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace slipway::api {

using base::Errc;
using base::fail;

namespace {

constexpr ContentType kOctets = "application/octet-stream";
constexpr std::size_t kDownloadPiece = 256U << 10U;

base::Status file_error(std::string_view what) {
  const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::StorageFull : Errc::Internal;
  return fail(code, fmt::format("an image's file cannot be {}", what));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

// ---- files

base::Result<OpenFile> OpenFile::read(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fail(file_error("opened").error());
  return OpenFile(fd);
}

base::Result<OpenFile> OpenFile::create(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) return fail(file_error("made").error());
  return OpenFile(fd);
}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

base::Result<std::uint64_t> OpenFile::size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return fail(file_error("measured").error());
  return static_cast<std::uint64_t>(info.st_size);
}

base::Status OpenFile::read_at(std::uint64_t offset, std::size_t most, std::string& out) const {
  out.resize(most);
  ssize_t got = 0;
  do {
    got = ::pread(fd_, out.data(), most, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return file_error("read");
  out.resize(static_cast<std::size_t>(got));
  return {};
}

base::Status OpenFile::append(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return file_error("written");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

base::Status OpenFile::sync() const {
  if (::fsync(fd_) != 0) return file_error("synced");
  return {};
}

base::Status sync_directory(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!ok) return file_error("synced");
  return {};
}

// ---- in

Upload::Upload(ImageFiles& files, std::filesystem::path path, Responder reply,
               std::string_view content_type, std::string_view field)
    : files_(files), path_(std::move(path)), reply_(std::move(reply)) {
  ++files_.transfers_;
  if (const auto boundary = multipart_boundary(content_type)) parts_.emplace(*boundary, field);
}

Upload::~Upload() {
  --files_.transfers_;
  std::error_code ignored;
  if (!handed_over_) std::filesystem::remove(path_, ignored);
}

void Upload::on_piece(std::string_view piece) {
  files_.post([self = shared_from_this(), bytes = std::string(piece)] { self->take(bytes); });
}

// Pieces may still wait; the last of them lets go of this, and the file goes with it.
void Upload::on_abort() {}

void Upload::take(std::string_view piece) {
  if (status_ && parts_) {
    const bool fine = parts_->feed(piece, [this](std::string_view bytes) { write(bytes); });
    if (!fine && status_) {
      status_ = fail(Errc::InvalidArgument, "the body is no multipart/form-data");
    }
  } else if (status_) {
    write(piece);
  }
  reply_.consumed(piece.size());
}

void Upload::write(std::string_view bytes) {
  if (!status_) return;
  if (size_ + bytes.size() > files_.max_bytes()) {
    status_ =
        fail(Errc::BodyTooLarge, fmt::format("an image has at most {} bytes", files_.max_bytes()));
    return;
  }
  if (!file_) {
    auto made = OpenFile::create(path_);
    if (!made) {
      status_ = fail(made.error());
      return;
    }
    file_.emplace(std::move(*made));
  }
  size_ += bytes.size();
  hash_.add(bytes);
  status_ = file_->append(bytes);
}

void Upload::finish(ImageFiles::Then then) {
  files_.post([self = shared_from_this(), then = std::move(then)] {
    auto stored = self->close();
    self->handed_over_ = stored.has_value();
    then(std::move(stored));
  });
}

base::Result<StoredFile> Upload::close() {
  if (!status_) return fail(status_.error());
  if (parts_ && !parts_->complete()) {
    return fail(Errc::InvalidArgument, "the body has no file, or not all of it");
  }
  if (!file_) return fail(Errc::InvalidArgument, "the file is empty");
  if (auto status = file_->sync(); !status) return fail(status.error());
  return StoredFile{path_, size_, hash_.hex()};
}

// ---- out

std::optional<std::pair<std::uint64_t, std::uint64_t>> single_range(std::string_view header,
                                                                    std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = number(header.substr(0, dash));
  const auto last = number(header.substr(dash + 1));
  constexpr std::pair<std::uint64_t, std::uint64_t> kNone{0, 0};
  if (!first) {  // the last so many
    if (dash != 0 || !last) return std::nullopt;
    return *last == 0 || size == 0 ? kNone : std::pair(size - std::min(*last, size), size);
  }
  if (!last && dash + 1 != header.size()) return std::nullopt;
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return kNone;
  return std::pair(*first, last ? std::min(*last, size - 1) + 1 : size);
}

void Download::start(ImageFiles& files, OpenFile file, const domain::Image& image,
                     const Request& request, const Responder& reply) {
  const auto size = file.size();
  if (!size) {
    reply.fail(size.error());
    return;
  }
  const auto range = single_range(request.header("range"), *size);
  if (range && range->second == 0) {
    reply.send(Response(416).add("Content-Range", fmt::format("bytes */{}", *size)));
    return;
  }
  const auto [from, to] = range.value_or(std::pair(std::uint64_t{0}, *size));
  Response head(range ? 206 : 200, "", kOctets);
  head.add("Accept-Ranges", "bytes");
  head.add("ETag", fmt::format("\"{}\"", image.checksum_sha512.substr(0, 32)));
  if (range) head.add("Content-Range", fmt::format("bytes {}-{}/{}", from, to - 1, *size));
  auto self = std::make_shared<Download>(files, std::move(file), from, to);
  const Stream stream = reply.start_stream(std::move(head));
  stream.on_writable([self](const Stream& ready) {
    self->files_.post([self, ready] { self->send_next(ready); });
  });
}

void Download::send_next(const Stream& stream) {
  if (!stream.alive()) return;
  std::string piece;
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(kDownloadPiece, end_ - at_));
  if (most > 0 && (!file_.read_at(at_, most, piece) || piece.empty())) {
    stream.abort();  // the client sees that it is not the whole
    return;
  }
  at_ += piece.size();
  const bool last = at_ == end_;
  // Once it is written the next piece may be asked for: nothing of ours is touched after that.
  if (!piece.empty()) stream.write(piece);
  if (last) stream.finish();
}

}  // namespace slipway::api
