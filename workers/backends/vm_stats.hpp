#pragma once
// What a VM has used since it started, as a backend sees it from outside: the answer to "vm.stats".
#include <cstdint>
#include <string>

#include "core/base/json_write.hpp"

namespace slipway::workers {

struct VmStats {
  std::uint64_t cpu_time_us = 0;     // of all its cores together
  std::uint64_t memory_used_mb = 0;  // of the host's
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t disk_written_bytes = 0;
  std::uint64_t network_received_bytes = 0;
  std::uint64_t network_sent_bytes = 0;

  std::string json() const {
    base::JsonWriter w;
    w.begin_object().member("cpu_time_us", cpu_time_us).member("memory_used_mb", memory_used_mb);
    w.member("disk_read_bytes", disk_read_bytes).member("disk_written_bytes", disk_written_bytes);
    w.member("network_received_bytes", network_received_bytes);
    w.member("network_sent_bytes", network_sent_bytes).end_object();
    return w.text();
  }
};

}  // namespace slipway::workers
