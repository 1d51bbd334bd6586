#include "api/edge/out_queue.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace slipway::api {
namespace {

struct Pair {
  std::array<int, 2> fds{};
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0); }
  ~Pair() {
    ::close(fds[0]);
    ::close(fds[1]);
  }
  std::string read() {
    std::string all;
    char buffer[65536];
    for (ssize_t n; (n = ::recv(fds[1], buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }
};

TEST(OutQueue, KeepsOrderAcrossSmallLargeAndBlocked) {
  Pair pair;
  OutQueue queue;
  std::string expected, got;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(static_cast<std::size_t>(i * i), static_cast<char>('a' + i % 26));
    expected += piece;
    if (i % 3 == 0) {
      queue.append(piece);
    } else if (i % 3 == 1) {
      queue.push(piece);
    } else {
      queue.tail().append(piece);
      queue.commit();
    }
  }
  EXPECT_EQ(queue.size(), expected.size());
  int blocked = 0;
  while (queue.flush(pair.fds[0]) == OutQueue::Flushed::Blocked) {
    ++blocked;
    got += pair.read();
  }
  got += pair.read();
  EXPECT_GT(blocked, 0);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(got, expected);
}

TEST(OutQueue, SaysWhenTheOtherSideIsGone) {
  Pair pair;
  ::close(pair.fds[1]);
  OutQueue queue;
  queue.append("x");
  EXPECT_EQ(queue.flush(pair.fds[0]), OutQueue::Flushed::Broken);
  pair.fds[1] = ::dup(pair.fds[0]);
}

}  // namespace
}  // namespace slipway::api
