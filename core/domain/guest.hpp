#pragma once
// What a VM has beyond name, size, image and network: who it is kept for, how it was measured out,
// its disks one by one, how it boots, what its owner set. Only VMs that were given any of it have a
// GuestSpec; guest_of() makes one up for the others.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/box.hpp"
#include "core/base/fields.hpp"
#include "core/base/result.hpp"
#include "core/domain/ids.hpp"

namespace slipway::domain {

struct Qos {                     // 0: no limit
  std::string cpu_priority;      // high, medium, low; empty: medium
  std::uint64_t read_bytes = 0;  // of its disks, a second
  std::uint64_t write_bytes = 0;
  std::uint64_t read_iops = 0;
  std::uint64_t write_iops = 0;
  std::uint64_t receive_bytes = 0;  // of its network, a second
  std::uint64_t send_bytes = 0;
  bool operator==(const Qos&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("cpu_priority", s.cpu_priority);
    v("read_bytes", s.read_bytes);
    v("write_bytes", s.write_bytes);
    v("read_iops", s.read_iops);
    v("write_iops", s.write_iops);
    v("receive_bytes", s.receive_bytes);
    v("send_bytes", s.send_bytes);
  }
};

struct CloudInit {
  bool root_enabled = true;
  std::string data_path;
  bool operator==(const CloudInit&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("root_enabled", s.root_enabled);
    v("data_path", s.data_path);
  }
};

struct GuestSpec {
  std::string owner;
  std::string group;
  std::string pool;                  // of hosts, as asked for; empty: any
  std::uint64_t memory = 0;          // as it was given, see in_megabytes(); 0: what the size says
  std::vector<std::uint64_t> disks;  // likewise; the system's first
  bool auto_start = false;
  std::string system;
  std::string system_version;
  std::vector<std::string> modules;
  std::vector<std::uint32_t> ports;
  std::string mac;  // one that was asked for; empty: it follows from the address
  std::string admin_name;
  std::string monitor_secret;  // a reference into the secrets store
  ImageId media;               // inserted
  std::string display;         // "host:port" of its VNC server, where the backend has one
  base::Box<CloudInit> cloud_init;
  base::Box<Qos> qos;
  bool operator==(const GuestSpec&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("owner", s.owner);
    v("group", s.group);
    v("pool", s.pool);
    v("memory", s.memory);
    v("disks", s.disks);
    v("auto_start", s.auto_start);
    v("system", s.system);
    v("system_version", s.system_version);
    v("modules", s.modules);
    v("ports", s.ports);
    v("mac", s.mac);
    v("admin_name", s.admin_name);
    v("monitor_secret", s.monitor_secret);
    v("media", s.media);
    v("display", s.display);
    v("cloud_init", s.cloud_init);
    v("qos", s.qos);
  }
};

// What a command changes of a guest: which are set depends on the command.
struct GuestChange {
  std::optional<std::uint32_t> cores;
  std::optional<std::uint64_t> memory;  // as given
  std::optional<std::uint32_t> disk;    // its place; 0 is the system's
  std::optional<std::uint64_t> disk_size;
  std::optional<bool> auto_start;
  base::Box<Qos> qos;          // those of `qos_part` count
  std::string qos_part;        // cpu, disk, network
  std::string admin_name;      // set_credential
  std::string secret;          // a reference: set_credential, console.reset_secret
  ImageId media;               // media.insert, and a start from it
  std::string boot;            // start: media, network; empty: the system's disk
  base::Box<GuestSpec> after;  // decide's: as it will be
  bool operator==(const GuestChange&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("cores", s.cores);
    v("memory", s.memory);
    v("disk", s.disk);
    v("disk_size", s.disk_size);
    v("auto_start", s.auto_start);
    v("qos", s.qos);
    v("qos_part", s.qos_part);
    v("admin_name", s.admin_name);
    v("secret", s.secret);
    v("media", s.media);
    v("boot", s.boot);
    v("after", s.after);
  }
};

inline constexpr std::uint64_t kMegabytesPerGigabyte = 1024;

// A number below 1 Mi counts megabytes, any other bytes: both are in use. Rounded up.
std::uint64_t in_megabytes(std::uint64_t given);
// The other way: what `megabytes` is in the unit of `like`.
std::uint64_t in_unit_of(std::uint64_t like, std::uint64_t megabytes);

}  // namespace slipway::domain
