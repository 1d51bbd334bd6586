#include "metrics/process_stats.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace slipway::metrics {
namespace {

// Of this process, in ticks since boot: field 22 of /proc/self/stat (proc(5)). Counted from the
// last
// ')': the program's name before it may hold anything.
std::uint64_t start_ticks() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return 0;
  std::istringstream rest(line.substr(end_of_name + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) rest >> skipped;
  std::uint64_t ticks = 0;
  rest >> ticks;
  return ticks;
}

base::Duration of_clock(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_nsec / 1000);
}

// Not by /proc/stat's "btime": the shipped unit hides that file (ProcSubset=pid).
base::Time start_time() {
  const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto since_boot = base::Duration(start_ticks() * 1'000'000 / ticks_per_second);
  return base::Time(of_clock(CLOCK_REALTIME) - of_clock(CLOCK_BOOTTIME) + since_boot);
}

std::uint64_t count_open_fds() {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc/self/fd"), ::closedir);
  if (!dir) return 0;
  std::uint64_t n = 0;
  while (const auto* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] != '.') ++n;
  }
  return n > 0 ? n - 1 : 0;  // without the one just opened
}

base::Duration time_of(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessStats read_process_stats() {
  static const base::Time start = start_time();
  ProcessStats stats;
  stats.resident_bytes = resident_bytes();
  stats.open_fds = count_open_fds();
  stats.start = start;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    stats.cpu = time_of(usage.ru_utime) + time_of(usage.ru_stime);
  }
  return stats;
}

}  // namespace slipway::metrics
