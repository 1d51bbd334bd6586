#pragma once
// The test bed of two real cells (scripts/test_libvirt.sh brings it up): its options, its faults,
// and what its guests say on their serial lines.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/backends/libvirt/driver.hpp"
#include "workers/backends/libvirt/libvirt_backend.hpp"
#include "workers/backends/libvirt/names.hpp"

namespace slipway::workers::libvirt::test {

inline std::string env(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: nobody sets any meanwhile
  return value == nullptr ? "" : value;
}
inline std::string state_dir() { return env("LIBVIRT_STATE"); }
inline std::string net() { return env("LIBVIRT_NET"); }

inline Options bed_options(bool shared = true) {
  Options options;
  options.name = "lv";
  int address = 11;
  for (const std::string name : {"cell-a", "cell-b"}) {
    const std::string ip = net() + "." + std::to_string(address++);
    options.cells.push_back(
        {.name = name,
         .uri = "qemu+unix:///system?socket=" + state_dir() + "/" + name + "/run/libvirt-sock",
         .migrate_uri = "qemu+tcp://" + ip + "/system",
         .address = ip,
         .storage_pool = shared ? "shared" : "default",
         .shared = shared});
  }
  options.network.name = "lan";
  options.domain_type = "qemu";
  options.machine = "pc";
  options.direct_boot =
      KernelOptions{state_dir() + "/guest/vmlinuz", state_dir() + "/guest/initrd.gz",
                    "console=ttyS0 quiet panic=-1 lab.hb=1 "
                    "lab.ip={ipv4}/{prefix}"};
  options.serial_directory = state_dir() + "/shared";
  options.hot_vcpus = 2;
  options.keepalive_seconds = 1;
  options.connect_timeout = 2s;
  options.stop_grace = 30s;
  return options;
}

// A fault, or its end: "freeze cell-a".
inline int cell(const std::string& command) {
  const std::string line = "LIBVIRT_STATE=" + state_dir() + " " + env("LIBVIRT_BED") + "/cell " +
                           command + " > /dev/null 2>&1";
  return std::system(line.c_str());  // NOLINT: the bed's own words
}

inline domain::WorkOrder bed_order(std::uint64_t n, const std::string& host = "cell-a") {
  domain::WorkOrder order = workers::test::order_for(CommandKind::VmCreate, n);
  order.backend = "lv";
  order.fence = n * 100;
  order.spec.host = host;
  order.spec.size = {"small", 1, 128, 1};
  order.spec.ipv4 = *domain::parse_ipv4(net() + "." + std::to_string(100 + n % 100));
  order.image_name = "base.qcow2";
  order.installation = "0197aaaa-0000-7000-8000-000000000001";
  order.vm_key = domain::correlation_key(order.task, "vm.create");
  return order;
}

inline domain::WorkOrder bed_order_on(const domain::WorkOrder& created, CommandKind kind,
                                      const std::string& ref) {
  static std::uint64_t number = 100000;
  domain::WorkOrder order = created;
  order.command = kind;
  order.task = workers::test::id<domain::TaskId>(++number);
  order.vm_ref = ref;
  order.fence = number;
  return order;
}

// The guest's last heartbeat: "cpus" -> "2".
class Guest {
 public:
  explicit Guest(const std::string& ref) : path_(state_dir() + "/shared/" + ref + ".log") {}

  std::string value(const std::string& name) const {
    std::ifstream file(path_, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    const std::string text = all.str();
    // The last line that is whole.
    const std::size_t end = text.rfind('\n');
    const std::size_t start = end == std::string::npos ? end : text.rfind("HB n=", end);
    if (start == std::string::npos) return {};
    std::istringstream line(text.substr(start, text.find('\n', start) - start));
    for (std::string word; line >> word;) {
      if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
    }
    return {};
  }
  long beats() const { return std::atol(value("n").c_str()); }

 private:
  std::string path_;
};

}  // namespace slipway::workers::libvirt::test
