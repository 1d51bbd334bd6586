#pragma once
// The bytes of images that were uploaded, in one directory:
//
//   <image id>.<first 16 hex digits of its SHA-512>   an image's bytes, whole and synced
//   upload-<uuid>.part                                of an upload under way; gone after a start
//   <name>.iso, .qcow2, .img, .raw                    put there by an operator, for find_new()
//
// A file has its hash in its name, so an upload never writes over bytes that are in use: which file
// is the image's is what the log says. All reading and writing is done on one thread of its own;
// an I/O thread only hands pieces over, and the edge's window bounds how many wait.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/edge/handler.hpp"
#include "core/base/bounded_queue.hpp"
#include "core/domain/specs.hpp"

namespace slipway::api {

struct StoredFile {
  std::filesystem::path path;  // a temporary one until keep()
  std::uint64_t size_bytes = 0;
  std::string sha512;
};

class ImageFiles {
 public:
  struct Options {
    std::filesystem::path directory;
    std::uint64_t max_bytes = std::uint64_t{64} << 30U;  // of one image
    unsigned max_transfers = 64;                         // uploads and downloads at a time
  };
  // Makes the directory, and removes what interrupted uploads have left.
  static base::Result<std::unique_ptr<ImageFiles>> open(Options options);
  ~ImageFiles();

  // ---- any thread ----
  // An upload: multipart/form-data with the file in `field`, or the bytes themselves. An error when
  // too many are under way.
  base::Result<std::shared_ptr<BodySink>> begin(const Request& head, const Responder& reply,
                                                std::string_view field);
  // After the whole body has come: what the sink of that request wrote, on the file thread. What is
  // not kept must be dropped.
  using Then = std::function<void(base::Result<StoredFile>)>;
  static void finish(const std::shared_ptr<BodySink>& sink, Then then);

  // Sends the image's bytes; a single range of RFC 9110 where the request asks for one. False: they
  // are not here.
  bool send(const domain::Image& image, const Request& request, const Responder& reply);

  // Runs on the file thread, after all that was asked before.
  void post(std::function<void()> job);
  std::uint64_t max_bytes() const { return options_.max_bytes; }

  // ---- the file thread, from inside `Then` or post() ----
  // Gives it the image's name. From then on it may be named in the log.
  base::Status keep(const domain::ImageId& image, StoredFile& file);
  // The same as a second name, for a file that must be found again if the log never hears of it.
  base::Status link(const domain::ImageId& image, const StoredFile& file);
  void drop(const StoredFile& file);
  void drop(const domain::ImageId& image, const std::string& sha512);
  // Files that an operator has put there, hashed; a name that is no image's is passed over.
  struct Found {
    std::string name;
    std::string format;  // qcow2, raw, iso
    StoredFile file;
  };
  std::vector<Found> find_new(domain::ImageKind kind);

 private:
  friend class Upload;
  friend class Download;
  explicit ImageFiles(Options options);
  std::filesystem::path path_of(const domain::ImageId& image, std::string_view sha512) const;
  void run();

  const Options options_;
  std::atomic<unsigned> transfers_{0};
  base::BoundedQueue<std::function<void()>> jobs_;
  std::jthread thread_;
};

}  // namespace slipway::api
