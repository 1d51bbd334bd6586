#include "metrics/process_stats.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace slipway::metrics {
namespace {

TEST(ProcessStats, CountsOpenFiles) {
  const auto before = read_process_stats().open_fds;
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(read_process_stats().open_fds, before + 1);
  ::close(fd);
  EXPECT_EQ(read_process_stats().open_fds, before);
  EXPECT_GE(read_process_stats().max_fds, before);
}

TEST(ProcessStats, SeesMemoryThatIsTouched) {
  const auto before = read_process_stats().resident_bytes;
  std::vector<char> memory(64 << 20, 1);
  asm volatile("" : : "r"(memory.data()) : "memory");  // or a compiler may see that nobody reads it
  EXPECT_GT(read_process_stats().resident_bytes, before + memory.size() / 2);
}

TEST(ProcessStats, BeganALittleWhileAgo) {
  const auto now = std::chrono::system_clock::now();
  const auto start = read_process_stats().start;
  EXPECT_LT(start, now + std::chrono::seconds(2));
  EXPECT_GT(start, now - std::chrono::minutes(10));
}

TEST(ProcessStats, CpuTimeGrowsWithWork) {
  const auto before = read_process_stats().cpu;
  volatile unsigned sink = 0;
  while (read_process_stats().cpu < before + std::chrono::milliseconds(5)) {
    for (unsigned i = 0; i < 100000; ++i) sink = sink + i;
  }
  EXPECT_GT(read_process_stats().cpu, before);
}

}  // namespace
}  // namespace slipway::metrics
