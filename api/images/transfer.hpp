#pragma once
// For image_files.cpp only: one image's bytes on their way in or out.
#include <memory>
#include <optional>
#include <string>

#include "api/images/image_files.hpp"
#include "api/images/multipart.hpp"
#include "core/base/stream_hash.hpp"

namespace slipway::api {

// An open file; closed with it.
class OpenFile {
 public:
  static base::Result<OpenFile> read(const std::filesystem::path& path);
  static base::Result<OpenFile> create(const std::filesystem::path& path);
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile();

  base::Result<std::uint64_t> size() const;
  // Up to `most` bytes; fewer, or none, at the end.
  base::Status read_at(std::uint64_t offset, std::size_t most, std::string& out) const;
  base::Status append(std::string_view bytes) const;
  base::Status sync() const;

 private:
  explicit OpenFile(int fd) : fd_(fd) {}
  int fd_;
};
base::Status sync_directory(const std::filesystem::path& directory);

// Pieces come on the I/O thread; everything else happens on the file thread.
class Upload final : public BodySink, public std::enable_shared_from_this<Upload> {
 public:
  Upload(ImageFiles& files, std::filesystem::path path, Responder reply,
         std::string_view content_type, std::string_view field);
  ~Upload() override;

  void on_piece(std::string_view piece) override;
  void on_abort() override;
  void finish(ImageFiles::Then then);

 private:
  void take(std::string_view piece);
  void write(std::string_view bytes);
  base::Result<StoredFile> close();

  ImageFiles& files_;
  const std::filesystem::path path_;
  const Responder reply_;
  std::optional<MultipartReader> parts_;  // nullopt: the body is the file
  std::optional<OpenFile> file_;
  base::StreamHash hash_;
  std::uint64_t size_ = 0;
  base::Status status_;
  bool handed_over_ = false;
};

// Reads a piece each time the one before is in the client's hands.
class Download final : public std::enable_shared_from_this<Download> {
 public:
  static void start(ImageFiles& files, OpenFile file, const domain::Image& image,
                    const Request& request, const Responder& reply);
  Download(ImageFiles& files, OpenFile file, std::uint64_t from, std::uint64_t to)
      : files_(files), file_(std::move(file)), at_(from), end_(to) {
    ++files_.transfers_;
  }
  ~Download() { --files_.transfers_; }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

 private:
  void send_next(const Stream& stream);

  ImageFiles& files_;
  const OpenFile file_;
  std::uint64_t at_;
  const std::uint64_t end_;  // one past the last byte
};

// "bytes=0-99", "bytes=100-", "bytes=-50" of a file that long: first and one past the last.
// nullopt: no range that is served; the whole is sent. {0, 0}: none of it lies in the file.
std::optional<std::pair<std::uint64_t, std::uint64_t>> single_range(std::string_view header,
                                                                    std::uint64_t size);

}  // namespace slipway::api
