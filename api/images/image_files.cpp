#include "api/images/image_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/images/transfer.hpp"
#include "api/submit.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;

constexpr std::string_view kPart = ".part";
constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kMaxJobs = 1'000'000;  // the windows of `max_transfers` bound them far below
constexpr base::Duration kForEver = std::chrono::hours(1);
constexpr std::size_t kHashPiece = 1U << 20U;

struct Format {
  std::string_view extension;
  std::string_view name;
  domain::ImageKind kind;
};
constexpr std::array kFormats{Format{".iso", "iso", domain::ImageKind::Media},
                              Format{".qcow2", "qcow2", domain::ImageKind::Disk},
                              Format{".img", "raw", domain::ImageKind::Disk},
                              Format{".raw", "raw", domain::ImageKind::Disk}};

// Size and hash of a file that is there already.
base::Result<StoredFile> measure(const std::filesystem::path& path) {
  auto file = OpenFile::read(path);
  if (!file) return fail(file.error());
  StoredFile out;
  out.path = path;
  base::StreamHash hash;
  std::string piece;
  for (;;) {
    if (auto status = file->read_at(out.size_bytes, kHashPiece, piece); !status) {
      return fail(status.error());
    }
    if (piece.empty()) break;
    hash.add(piece);
    out.size_bytes += piece.size();
  }
  out.sha512 = hash.hex();
  return out;
}

}  // namespace

base::Result<std::unique_ptr<ImageFiles>> ImageFiles::open(Options options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(options.directory, error)) {
    if (entry.path().extension() == kPart) left.push_back(entry.path());
  }
  if (error) {
    return fail(Errc::InvalidArgument, fmt::format("the directory of images {}: {}",
                                                   options.directory.string(), error.message()));
  }
  for (const auto& path : left) std::filesystem::remove(path, error);
  return std::unique_ptr<ImageFiles>(new ImageFiles(std::move(options)));
}

ImageFiles::ImageFiles(Options options)
    : options_(std::move(options)), jobs_(kMaxJobs), thread_([this] { run(); }) {}

ImageFiles::~ImageFiles() { jobs_.close(); }

void ImageFiles::run() {
  std::vector<std::function<void()>> jobs;
  while (jobs_.take_all(jobs, kForEver)) {
    for (auto& job : jobs) job();
    jobs.clear();
  }
}

void ImageFiles::post(std::function<void()> job) { jobs_.push_always(std::move(job)); }

base::Result<std::shared_ptr<BodySink>> ImageFiles::begin(const Request& head,
                                                          const Responder& reply,
                                                          std::string_view field) {
  if (transfers_.load() >= options_.max_transfers) {
    return fail(Errc::QueueFull, "too many images are being sent");
  }
  const auto path =
      options_.directory / fmt::format("upload-{}{}", base::to_string(new_id()), kPart);
  return std::shared_ptr<BodySink>(
      std::make_shared<Upload>(*this, path, reply, head.header("content-type"), field));
}

void ImageFiles::finish(const std::shared_ptr<BodySink>& sink, Then then) {
  static_cast<Upload&>(*sink).finish(std::move(then));
}

bool ImageFiles::send(const domain::Image& image, const Request& request, const Responder& reply) {
  if (!image.traits || !image.traits->stored) return false;
  const auto path = path_of(image.id, image.checksum_sha512);
  auto file = OpenFile::read(path);
  if (!file) return false;
  if (transfers_.load() >= options_.max_transfers) {
    reply.fail(base::Error{Errc::QueueFull, "too many images are being sent", {}});
    return true;
  }
  Download::start(*this, std::move(*file), image, request, reply);
  return true;
}

std::filesystem::path ImageFiles::path_of(const domain::ImageId& image,
                                          std::string_view sha512) const {
  return options_.directory /
         fmt::format("{}.{}", base::to_string(image), sha512.substr(0, kHashDigits));
}

base::Status ImageFiles::keep(const domain::ImageId& image, StoredFile& file) {
  const auto to = path_of(image, file.sha512);
  std::error_code error;
  std::filesystem::rename(file.path, to, error);
  if (error) return fail(Errc::Internal, "an uploaded file cannot be given its name");
  file.path = to;
  return sync_directory(options_.directory);
}

base::Status ImageFiles::link(const domain::ImageId& image, const StoredFile& file) {
  std::error_code error;
  std::filesystem::create_hard_link(file.path, path_of(image, file.sha512), error);
  if (error) return fail(Errc::Internal, "a file cannot be given an image's name");
  return sync_directory(options_.directory);
}

void ImageFiles::drop(const StoredFile& file) {
  std::error_code ignored;
  std::filesystem::remove(file.path, ignored);
}

void ImageFiles::drop(const domain::ImageId& image, const std::string& sha512) {
  std::error_code ignored;
  std::filesystem::remove(path_of(image, sha512), ignored);
}

std::vector<ImageFiles::Found> ImageFiles::find_new(domain::ImageKind kind) {
  std::vector<Found> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, error)) {
    const std::string extension = entry.path().extension().string();
    const auto format = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) {
      return f.extension == extension && f.kind == kind;
    });
    if (format == kFormats.end() || !entry.is_regular_file(error)) continue;
    auto file = measure(entry.path());
    if (!file) continue;
    out.push_back({entry.path().stem().string(), std::string(format->name), std::move(*file)});
  }
  std::sort(out.begin(), out.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  return out;
}

}  // namespace slipway::api
