#pragma once
// What things are, as plain values: shared by commands, events, the live state and the read models.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fields.hpp"
#include "core/base/result.hpp"
#include "core/domain/guest.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/states.hpp"
#include "core/domain/stream_id.hpp"

namespace slipway::domain {

using Labels = std::map<std::string, std::string>;
// A reference into the secrets store; the value itself never enters an event.
using SecretRef = std::string;

struct Size {
  std::string flavor;  // its id; empty for a size given by numbers alone
  std::uint32_t vcpus = 0;
  std::uint32_t memory_mb = 0;
  std::uint32_t disk_gb = 0;
  bool operator==(const Size&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("flavor", s.flavor);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("disk_gb", s.disk_gb);
  }
};

// All that is known of a VM at its acceptance; everything resolved.
struct VmSpec {
  std::string name;  // not unique
  std::string project;
  Size size;
  ImageId image;
  NetworkId network;
  std::string backend;
  std::string host;        // name; empty where the backend places by itself
  std::uint32_t ipv4 = 0;  // host byte order; 0 for none. The MAC follows from it, see mac_of().
  Labels labels;
  std::string keypair;
  SecretRef admin_secret;
  SecretRef user_data;
  std::string address_pool;  // that `ipv4` is of; empty: the network's own range
  base::Box<GuestSpec> guest;
  // Of a cloud that numbers its VMs (cloud_face.hpp): never used twice there.
  std::optional<std::uint64_t> number;
  bool operator==(const VmSpec&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("project", s.project);
    v("size", s.size);
    v("image", s.image);
    v("network", s.network);
    v("backend", s.backend);
    v("host", s.host);
    v("ipv4", s.ipv4);
    v("labels", s.labels);
    v("keypair", s.keypair);
    v("admin_secret", s.admin_secret);
    v("user_data", s.user_data);
    v("address_pool", s.address_pool);
    v("guest", s.guest);
    v("number", s.number);
  }
};

std::string ipv4_text(std::uint32_t ipv4);                       // "192.168.233.213"
std::optional<std::uint32_t> parse_ipv4(std::string_view text);  // strict dotted quad
std::string mac_of(std::uint32_t ipv4);                          // "fa:16:3e:xx:xx:xx"
std::string mac_of(const VmSpec& spec);                          // that, or the one asked for
// Its GuestSpec, or one that says no more than the rest of `spec` does.
GuestSpec guest_of(const VmSpec& spec);

// What of a VM its cloud has otherwise.
struct Drift {
  std::string what;
  std::string expected;
  std::string found;
  bool operator==(const Drift&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("what", s.what);
    v("expected", s.expected);
    v("found", s.found);
  }
};

struct Snapshot {
  std::string name;
  std::string description;
  std::string parent;  // name; empty for a root
  bool with_memory = false;
  bool running = false;  // the VM was, when it was made
  base::Time created_at{};
  bool operator==(const Snapshot&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("description", s.description);
    v("parent", s.parent);
    v("with_memory", s.with_memory);
    v("running", s.running);
    v("created_at", s.created_at);
  }
};

struct Flavor {
  std::string id;
  std::string name;
  std::uint32_t vcpus = 0;
  std::uint32_t memory_mb = 0;
  std::uint32_t disk_gb = 0;
  std::uint32_t ephemeral_gb = 0;
  std::uint32_t swap_mb = 0;
  bool is_public = true;
  bool operator==(const Flavor&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("disk_gb", s.disk_gb);
    v("ephemeral_gb", s.ephemeral_gb);
    v("swap_mb", s.swap_mb);
    v("is_public", s.is_public);
  }
};

enum class ImageKind : std::uint8_t { Disk, Media };
constexpr std::array<std::string_view, 2> enum_names(ImageKind) { return {"disk", "media"}; }

// What an image has that its owner gave a kind, tags and such, or whose bytes came in by upload.
struct ImageTraits {
  ImageKind kind = ImageKind::Disk;
  std::string owner;
  std::string group;
  std::string description;
  std::vector<std::string> tags;
  bool stored = false;  // its bytes are in the server's own directory of images
  bool operator==(const ImageTraits&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("owner", s.owner);
    v("group", s.group);
    v("description", s.description);
    v("tags", s.tags);
    v("stored", s.stored);
  }
};

struct Image {
  ImageId id;
  std::string name;
  std::string tenant;  // owner
  std::string disk_format = "qcow2";
  std::uint64_t size_bytes = 0;
  std::uint64_t virtual_size_bytes = 0;
  std::string checksum_md5;
  std::string checksum_sha512;
  bool is_public = false;
  std::uint32_t min_ram_mb = 0;
  std::uint32_t min_disk_gb = 0;
  std::string backend;
  std::string backend_ref;
  std::optional<VmId> source_vm;
  Labels properties;
  base::Box<ImageTraits> traits;
  bool foreign = false;  // found in its cloud: nobody brought it through this service
  bool is_media() const { return traits && traits->kind == ImageKind::Media; }
  bool operator==(const Image&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("tenant", s.tenant);
    v("disk_format", s.disk_format);
    v("size_bytes", s.size_bytes);
    v("virtual_size_bytes", s.virtual_size_bytes);
    v("checksum_md5", s.checksum_md5);
    v("checksum_sha512", s.checksum_sha512);
    v("is_public", s.is_public);
    v("min_ram_mb", s.min_ram_mb);
    v("min_disk_gb", s.min_disk_gb);
    v("backend", s.backend);
    v("backend_ref", s.backend_ref);
    v("source_vm", s.source_vm);
    v("properties", s.properties);
    v("traits", s.traits);
    v("foreign", s.foreign);
  }
};

struct Network {
  NetworkId id;
  std::string name;
  std::string tenant;  // owner
  bool shared = false;
  bool external = false;
  std::uint32_t mtu = 1450;
  std::vector<base::Uuid> subnets;
  std::uint32_t first_ipv4 = 0;  // the range that VMs get; 0 for a network that gives none
  std::uint32_t last_ipv4 = 0;
  std::uint32_t revision = 1;
  std::string backend;  // empty: of every cloud that takes its addresses from here
  std::string backend_ref;
  bool operator==(const Network&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("tenant", s.tenant);
    v("shared", s.shared);
    v("external", s.external);
    v("mtu", s.mtu);
    v("subnets", s.subnets);
    v("first_ipv4", s.first_ipv4);
    v("last_ipv4", s.last_ipv4);
    v("revision", s.revision);
    v("backend", s.backend);
    v("backend_ref", s.backend_ref);
  }
};

struct Host {
  std::string name;
  std::uint64_t number = 0;  // what a dialect that wants decimal ids shows
  std::string backend;
  std::string pool;  // empty: in none, and takes no VMs
  std::string address;
  bool enabled = true;
  bool alive = true;        // as its cloud says, see HostLost
  std::uint64_t vcpus = 0;  // capacity; used is folded from the VMs placed here
  std::uint64_t memory_mb = 0;
  std::uint64_t disk_gb = 0;
  bool operator==(const Host&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("number", s.number);
    v("backend", s.backend);
    v("pool", s.pool);
    v("address", s.address);
    v("enabled", s.enabled);
    v("alive", s.alive);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("disk_gb", s.disk_gb);
  }
};

struct Backend {
  std::string name;
  std::string type;  // simulated, openstack, libvirt
  std::string worker_pool = "default";
  bool places_hosts = true;  // the core chooses the host and the address
  std::string face;          // of a simulated one that plays another cloud (cloud_face.hpp)
  ReconcilePolicy policy = ReconcilePolicy::Report;
  std::string tenant;  // whom VMs are shown to that were not made here; empty: nobody
  bool operator==(const Backend&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("type", s.type);
    v("worker_pool", s.worker_pool);
    v("places_hosts", s.places_hosts);
    v("face", s.face);
    v("policy", s.policy);
    v("tenant", s.tenant);
  }
};

struct Quota {  // 0: no limit
  std::uint64_t vms = 0;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t tasks_in_flight = 0;
  bool operator==(const Quota&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vms", s.vms);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("tasks_in_flight", s.tasks_in_flight);
  }
};

struct Project {
  ProjectId id;
  std::string name;  // is the tenant's name
  std::string domain = "default";
  Quota quota;
  bool operator==(const Project&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("domain", s.domain);
    v("quota", s.quota);
  }
};

struct User {
  base::Uuid id;
  std::string name;
  std::string tenant;
  Role role = Role::None;
  SecretRef password;  // argon2id hash, in the secrets store
  std::string nick;
  std::string mail;
  // The tenant that the password was sealed for, where the user has moved since; else empty.
  std::string sealed_for;
  const std::string& secret_tenant() const { return sealed_for.empty() ? tenant : sealed_for; }
  bool operator==(const User&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("tenant", s.tenant);
    v("role", s.role);
    v("password", s.password);
    v("nick", s.nick);
    v("mail", s.mail);
    v("sealed_for", s.sealed_for);
  }
};
// Under this name are the passwords sealed of users who have no tenant at first.
inline constexpr std::string_view kPeopleTenant = "people";

struct AccessToken {
  TokenId id;
  std::string name;
  std::string tenant;
  std::string actor;
  Role role = Role::None;
  std::string sha256_hex;  // of the token; 256 random bits need no salt
  std::optional<base::Time> expires_at;
  bool operator==(const AccessToken&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("tenant", s.tenant);
    v("actor", s.actor);
    v("role", s.role);
    v("sha256_hex", s.sha256_hex);
    v("expires_at", s.expires_at);
  }
};

struct ResourceRef {
  StreamKind kind = StreamKind::Vm;
  base::Uuid id;
  std::string name;
  bool operator==(const ResourceRef&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("id", s.id);
    v("name", s.name);
  }
};

// What went wrong in an attempt or a task: shown to clients as it is.
struct TaskError {
  std::string code;  // one of errc_name()
  std::string detail;
  std::string backend;
  std::string backend_request_id;  // the cloud's own
  std::string step;
  std::uint32_t attempt = 0;
  bool retryable = false;
  bool operator==(const TaskError&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("code", s.code);
    v("detail", s.detail);
    v("backend", s.backend);
    v("backend_request_id", s.backend_request_id);
    v("step", s.step);
    v("attempt", s.attempt);
    v("retryable", s.retryable);
  }
};

}  // namespace slipway::domain
