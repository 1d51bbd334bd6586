#pragma once
// VMs on QEMU hosts through libvirt. A *cell* is one libvirtd, and one host to the core: the name
// of the cell is the name of the host. See docs/backends/libvirt.md for what it needs and tags.
//
// Calls block on threads of the cell's lane (BlockingBackend), so a cell that hangs delays no
// other. Everything that a creation makes carries its correlation key: the domain's UUID is derived
// from it, the volumes are named by it. So defining a VM twice ends at the same domain.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers::libvirt {

struct CellOptions {
  std::string name;         // of the host, as the core knows it
  std::string uri;          // "qemu:///system", "qemu+tcp://10.0.0.11/system", "test:///default"
  std::string migrate_uri;  // by which other cells' daemons reach this one; empty: `uri`
  std::string address;      // shown to clients for VNC; empty: the cell's own host name
  std::string storage_pool = "default";
  bool shared = false;        // all cells see the same files in their storage pools
  std::size_t max_calls = 8;  // at a time
};

struct NetworkOptions {
  std::string name = "default";  // of the libvirt network, for VMs whose own network is not told
  std::uint32_t prefix = 24;
  // What VMs in it get an address of, where it has no DHCP of its own to say; host byte order, 0:
  // none.
  std::uint32_t first_ipv4 = 0;
  std::uint32_t last_ipv4 = 0;
  std::string gateway;           // dotted quad; empty: none
  std::vector<std::string> dns;  // likewise
};

// Boots a kernel of the host's file system instead of the disk's boot loader. In `cmdline` {ipv4},
// {prefix} and {mac} are put in.
struct KernelOptions {
  std::string kernel;
  std::string initrd;
  std::string cmdline;
};

struct Options {
  std::string name;
  std::vector<CellOptions> cells;
  NetworkOptions network;
  std::string domain_type = "kvm";  // or "qemu": emulated; "test": the test driver
  std::string arch = "x86_64";
  std::string machine = "q35";  // empty: libvirt's choice
  // Volumes of the storage pools by image name, where they differ; else the image's ref, or name.
  std::map<std::string, std::string> images;
  bool full_clone = false;  // disks are copies of the image, not overlays on it
  std::optional<KernelOptions> direct_boot;
  std::string vnc_listen;        // empty: libvirt's default, the loopback address
  std::string serial_directory;  // the console's log is kept there, by UUID; empty: not kept
  bool cloud_init = true;        // a NoCloud seed for each VM
  // Room to grow without a restart: so many times the cores and the memory it was given.
  std::uint32_t hot_vcpus = 1;
  std::uint32_t hot_memory = 1;
  // Cores promised to VMs for each core that a cell has.
  double cpu_allocation_ratio = 4;
  std::uint32_t migrate_mib_per_second = 0;  // 0: no limit
  base::Duration call_timeout = std::chrono::seconds(15);
  base::Duration settle_time = std::chrono::seconds(5);
  base::Duration connect_timeout = std::chrono::seconds(5);
  // A guest that does not answer the power button for so long is switched off.
  base::Duration stop_grace = std::chrono::seconds(60);
  std::uint32_t keepalive_seconds = 3;  // between two questions of a silent cell; three are asked
};

class LibvirtBackend {
 public:
  // InvalidArgument for options that cannot work. Connects to nothing yet: a cell that is down is
  // no reason not to start.
  static base::Result<std::unique_ptr<Backend>> open(Options options);
};

}  // namespace slipway::workers::libvirt
