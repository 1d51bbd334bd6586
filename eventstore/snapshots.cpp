#include "eventstore/snapshots.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/base/check.hpp"
#include "core/base/uuid.hpp"
#include "eventstore/bytes.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::Status;

constexpr std::string_view kMagic = "SLIPSNP1";
constexpr std::string_view kPrefix = "snapshot-";
constexpr std::size_t kHeaderBytes = 120;
constexpr std::size_t kLogId = 80;
constexpr std::size_t kHeaderCrc = 116;
constexpr std::size_t kChunkHeaderBytes = 8;
constexpr std::size_t kMaxChunkBytes = 1U << 30U;
constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr std::size_t kKept = 2;

std::string_view text(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string encode(const SnapshotHeader& header) {
  CHECK(header.log_id.size() == base::kUuidTextSize, "log id {}", header.log_id);
  std::string out(kMagic);
  append_le(out, header.seq);
  out += text(header.log_hash);
  out += text(header.layout_digest);
  out += header.log_id;
  append_le(out, base::crc32c(out));
  return out;
}

bool decode(std::string_view in, SnapshotHeader& header) {
  if (in.size() < kHeaderBytes || !in.starts_with(kMagic) ||
      get_le<std::uint32_t>(in.data() + kHeaderCrc) != base::crc32c(in.substr(0, kHeaderCrc))) {
    return false;
  }
  header.seq = get_le<std::uint64_t>(in.data() + 8);
  std::memcpy(header.log_hash.data(), in.data() + 16, header.log_hash.size());
  std::memcpy(header.layout_digest.data(), in.data() + 48, header.layout_digest.size());
  header.log_id = in.substr(kLogId, base::kUuidTextSize);
  return true;
}

// Newest first: the name's order is the seq's.
std::vector<fs::path> snapshot_files(const fs::path& dir) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && entry.path().extension() != ".tmp") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.rbegin(), files.rend());
  return files;
}

// What a crash in the middle of a snapshot left.
void remove_unfinished(const fs::path& dir) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    if (entry.path().extension() == ".tmp") files.push_back(entry.path());
  }
  for (const fs::path& file : files) ::unlink(file.c_str());
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

bool read_exactly(const File& file, std::string& out, std::size_t size) {
  out.resize(size);
  return std::fread(out.data(), 1, size, file.get()) == size;
}

}  // namespace

SnapshotWriter::SnapshotWriter(fs::path path, Fd fd, const SnapshotHeader& header)
    : path_(std::move(path)), tmp_(path_.string() + ".tmp"), fd_(std::move(fd)) {
  buffer_ = encode(header);
  crc_ = base::crc32c(buffer_);
}

SnapshotWriter::~SnapshotWriter() {
  if (!committed_) ::unlink(tmp_.c_str());
}

Status SnapshotWriter::append(std::string_view chunk) {
  CHECK(!chunk.empty() && chunk.size() <= kMaxChunkBytes, "a chunk of {} bytes", chunk.size());
  crc_ = base::crc32c(chunk, crc_);
  ++chunks_;
  append_le(buffer_, static_cast<std::uint32_t>(chunk.size()));
  append_le(buffer_, crc_);
  buffer_ += chunk;
  return buffer_.size() < kBufferBytes ? Status{} : flush();
}

Status SnapshotWriter::flush() {
  auto written = write_all(fd_, buffer_, tmp_);
  buffer_.clear();
  return written;
}

Status SnapshotWriter::commit() {
  std::string count;
  append_le(count, chunks_);
  append_le(buffer_, std::uint32_t{0});
  append_le(buffer_, base::crc32c(count, crc_));
  buffer_ += count;
  if (auto ok = flush(); !ok) return ok;
  if (auto ok = sync_file(fd_, tmp_); !ok) return ok;
  if (::rename(tmp_.c_str(), path_.c_str()) != 0) return os_error("rename", tmp_);
  committed_ = true;
  if (auto ok = sync_directory(path_.parent_path()); !ok) return ok;
  // Only now that the new one is sure to be there.
  const auto files = snapshot_files(path_.parent_path());
  for (std::size_t i = kKept; i < files.size(); ++i) ::unlink(files[i].c_str());
  remove_unfinished(path_.parent_path());
  return {};
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotStore::begin(const SnapshotHeader& header) const {
  if (auto ok = make_directories(dir_); !ok) return fail(ok.error());
  const fs::path path = dir_ / fmt::format("{}{:020}", kPrefix, header.seq);
  auto fd = open_file(path.string() + ".tmp", O_WRONLY | O_CREAT | O_TRUNC, 0640);
  if (!fd) return fail(fd.error());
  return std::unique_ptr<SnapshotWriter>(new SnapshotWriter(path, std::move(*fd), header));
}

std::vector<SnapshotStore::Found> SnapshotStore::list(std::string_view log_id,
                                                      const base::Digest& layout_digest,
                                                      std::vector<std::string>& skipped) const {
  std::vector<Found> found;
  for (const fs::path& path : snapshot_files(dir_)) {
    const File file(std::fopen(path.c_str(), "rbe"));
    std::string bytes;
    SnapshotHeader header;
    if (!file || !read_exactly(file, bytes, kHeaderBytes) || !decode(bytes, header)) {
      skipped.push_back(path.string() + ": its header is damaged");
    } else if (header.log_id != log_id) {
      skipped.push_back(path.string() + ": it belongs to log " + header.log_id);
    } else if (header.layout_digest != layout_digest) {
      skipped.push_back(path.string() + ": another version of the program wrote it");
    } else {
      found.push_back({std::move(header), path});
    }
  }
  return found;
}

Status SnapshotStore::read(const Found& snapshot, const ChunkReader& on_chunk) const {
  const auto damaged = [&](std::string_view what) {
    return fail(Errc::Internal, fmt::format("{}: {}", snapshot.path.string(), what));
  };
  const File file(std::fopen(snapshot.path.c_str(), "rbe"));
  std::string bytes;
  SnapshotHeader header;
  if (!file || !read_exactly(file, bytes, kHeaderBytes) || !decode(bytes, header)) {
    return damaged("its header is damaged");
  }
  std::uint32_t crc = base::crc32c(bytes);
  std::error_code ignored;
  const std::uint64_t file_bytes = fs::file_size(snapshot.path, ignored);
  for (std::uint64_t chunks = 0;; ++chunks) {
    if (!read_exactly(file, bytes, kChunkHeaderBytes)) return damaged("it is cut off");
    const auto length = get_le<std::uint32_t>(bytes.data());
    const auto stored = get_le<std::uint32_t>(bytes.data() + 4);
    if (length > kMaxChunkBytes || length > file_bytes) return damaged("it is damaged");
    if (!read_exactly(file, bytes, length == 0 ? 8 : length)) return damaged("it is cut off");
    crc = base::crc32c(bytes, crc);
    if (crc != stored) return damaged("a checksum does not hold");
    if (length == 0) {
      const bool complete = get_le<std::uint64_t>(bytes.data()) == chunks;
      return complete && std::fgetc(file.get()) == EOF ? Status{} : damaged("it is damaged");
    }
    if (auto taken = on_chunk(bytes); !taken) return taken;
  }
}

}  // namespace slipway::eventstore
