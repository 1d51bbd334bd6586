#include "api/edge/out_queue.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace slipway::api {
namespace {

constexpr std::size_t kGatherBytes = 16 << 10;  // larger pieces stand alone
constexpr std::size_t kKeepBytes = 4 << 10;     // capacity an idle connection may hold
constexpr std::size_t kVectors = 16;

}  // namespace

std::string& OutQueue::tail() {
  if (pieces_.size() == first_ || pieces_.back().size() >= kGatherBytes) pieces_.emplace_back();
  size_ -= pieces_.back().size();  // commit() counts it again
  return pieces_.back();
}

void OutQueue::commit() { size_ += pieces_.back().size(); }

void OutQueue::append(std::string_view bytes) {
  tail().append(bytes);
  commit();
}

void OutQueue::push(std::string bytes) {
  if (bytes.size() < kGatherBytes) {
    append(bytes);
    return;
  }
  size_ += bytes.size();
  pieces_.push_back(std::move(bytes));
}

OutQueue::Flushed OutQueue::flush(int fd) {
  while (size_ > 0) {
    std::array<iovec, kVectors> vectors{};
    std::size_t count = 0;
    for (std::size_t i = first_; i < pieces_.size() && count < kVectors; ++i) {
      const std::size_t skip = i == first_ ? offset_ : 0;
      vectors[count++] = {pieces_[i].data() + skip, pieces_[i].size() - skip};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Flushed::Blocked : Flushed::Broken;
    }
    drop(static_cast<std::size_t>(n));
  }
  return Flushed::All;
}

void OutQueue::drop(std::size_t written) {
  size_ -= written;
  if (size_ == 0) {
    clear();
    return;
  }
  offset_ += written;
  while (first_ < pieces_.size() && offset_ >= pieces_[first_].size()) {
    offset_ -= pieces_[first_].size();
    std::string().swap(pieces_[first_]);
    ++first_;
  }
  if (first_ > 64) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutQueue::clear() {
  pieces_.resize(std::min<std::size_t>(pieces_.size(), 1));
  first_ = offset_ = size_ = 0;
  if (pieces_.empty()) return;
  if (pieces_[0].capacity() > kKeepBytes) {
    std::string().swap(pieces_[0]);
  } else {
    pieces_[0].clear();
  }
}

}  // namespace slipway::api
