#include "app/backends_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "app/config_keys.hpp"
#include "app/config_show.hpp"

namespace slipway::app {
namespace {

// Of a backend's table, or of a cell's.
template <class Table>
struct Row {
  std::string_view name;
  ValueRef (*ref)(Table&);
  std::string_view help;
  std::string_view type{};     // the type of backend that has it; empty: all have
  std::string_view example{};  // in the sample, as TOML; empty: the default
  std::string_view choices{};
  double min = 0;
  double max = 1e18;
};

#define SLIPWAY_ROW(key) .name = #key, .ref = [](BackendTable& b) -> ValueRef { return &b.key; }
#define SLIPWAY_OPENSTACK(key) \
  .name = #key, .ref = [](BackendTable& b) -> ValueRef { return &b.openstack.key; }
#define SLIPWAY_LIBVIRT(key) \
  .name = #key, .ref = [](BackendTable& b) -> ValueRef { return &b.libvirt.key; }
#define SLIPWAY_SIMULATED(key) \
  .name = #key, .ref = [](BackendTable& b) -> ValueRef { return &b.simulated.key; }
#define SLIPWAY_CELL(key) .name = #key, .ref = [](CellTable& c) -> ValueRef { return &c.key; }

constexpr std::string_view kOpenStack = "openstack";
constexpr std::string_view kLibvirt = "libvirt";
constexpr std::string_view kSimulated = "simulated";

using BackendRow = Row<BackendTable>;
using CellRow = Row<CellTable>;

constexpr BackendRow kBackendRows[] = {
    {SLIPWAY_ROW(name),
     .help =
         "Its name in the API, in the log and in metrics: letters, digits, _ and -. VMs hang on "
         "it, so it is never changed."},
    {SLIPWAY_ROW(type), .help = "What kind of cloud it is.",
     .choices = "simulated|openstack|libvirt"},
    {SLIPWAY_ROW(worker_pool),
     .help = "The pool of workers that its tasks go to. Every worker that serves this pool "
             "(worker.pools) must have this table too."},
    {SLIPWAY_ROW(policy),
     .help = "What becomes of drift between the log and the cloud: \"report\" makes events of it, "
             "\"adopt\" also takes the cloud's state over, \"repair\" also puts the log's state "
             "back.",
     .choices = "report|adopt|repair"},
    {SLIPWAY_ROW(tenant),
     .help = "The project that VMs made by others in this cloud are shown under. Empty: they are "
             "not shown."},
    {SLIPWAY_ROW(max_calls),
     .help =
         "Calls that one worker has under way to this cloud at a time; more wait in the worker. "
         "What the control plane bears, divided by the number of workers. 0: no limit."},
    {SLIPWAY_ROW(max_calls_per_host),
     .help = "The same for the VMs of one host: protects its disk and its daemon. 0: no limit."},
    {SLIPWAY_ROW(rate_per_second), .help = "Calls that one worker begins in a second. 0: no limit.",
     .max = 1e6},
    {SLIPWAY_ROW(rate_burst), .help = "So many may begin at once after a quiet time.", .min = 1,
     .max = 1e6},
    {SLIPWAY_ROW(call_timeout),
     .help = "The longest one call may take; then its effect is looked up. \"0s\": half of "
             "tasks.lease_timeout at most (simulated: backend.call_timeout). With worker.margin "
             "below tasks.lease_timeout.",
     .max = 3600},
    // ---- openstack ----
    {SLIPWAY_OPENSTACK(auth_url), .help = "Keystone's address, with its version.",
     .type = kOpenStack, .example = R"("https://keystone.example:5000/v3")"},
    {SLIPWAY_OPENSTACK(region), .help = "Empty: the first that the catalog names.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(interface), .help = "Which addresses of the catalog are used.",
     .type = kOpenStack, .choices = "public|internal|admin"},
    {SLIPWAY_OPENSTACK(user),
     .help = "With password_file and project; or an application credential.", .type = kOpenStack,
     .example = R"("slipway")"},
    {SLIPWAY_OPENSTACK(user_domain), .help = "The user's domain.", .type = kOpenStack},
    {SLIPWAY_OPENSTACK(password_file), .help = "The user's password.", .type = kOpenStack,
     .example = R"("/etc/slipway/openstack.password")"},
    {SLIPWAY_OPENSTACK(project), .help = "The project that VMs are made in.", .type = kOpenStack,
     .example = R"("slipway")"},
    {SLIPWAY_OPENSTACK(project_domain), .help = "The project's domain.", .type = kOpenStack},
    {SLIPWAY_OPENSTACK(application_credential_id),
     .help = "Instead of user, password_file and project: it can be withdrawn by itself.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(application_credential_secret_file), .help = "Its secret.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(ca_file),
     .help = "Certificates (PEM) that its TLS is checked against. Empty: the system's.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(verify),
     .help = "Check its certificate. false: whoever sits between reads the password.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(network),
     .help = "Name or id of the network of VMs whose order names none. Empty: the first usable.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(availability_zone), .help = "Of VMs. Empty: the cloud's default.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(endpoints),
     .help = "TYPE=URL each (compute, network, image), where the catalog's cannot be reached.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(create_flavors),
     .help = "Make a flavor where none fits a size; wants an admin's rights. Otherwise such a size "
             "is refused.",
     .type = kOpenStack},
    {SLIPWAY_OPENSTACK(poll_interval),
     .help = "How often the one list of servers is asked for while something is awaited.",
     .type = kOpenStack, .min = 0.1, .max = 60},
    // ---- libvirt ----
    {SLIPWAY_LIBVIRT(domain_type), .help = "\"qemu\" emulates: slow, but works anywhere.",
     .type = kLibvirt, .choices = "kvm|qemu|test"},
    {SLIPWAY_LIBVIRT(arch), .help = "Of VMs.", .type = kLibvirt},
    {SLIPWAY_LIBVIRT(machine), .help = "Machine type of VMs. Empty: libvirt's choice.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(network), .help = "The libvirt network of VMs whose order names none.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(network_prefix), .help = "Bits of its addresses that are the network's.",
     .type = kLibvirt, .min = 8, .max = 30},
    {SLIPWAY_LIBVIRT(addresses),
     .help = "FIRST-LAST: what VMs in it get an address of. Empty: the range of its DHCP, or the "
             "address pool that a pool of hosts names.",
     .type = kLibvirt, .example = R"("10.0.0.100-10.0.0.199")"},
    {SLIPWAY_LIBVIRT(gateway), .help = "Its gateway, told to guests. Empty: none.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(dns), .help = "Its name servers, told to guests.", .type = kLibvirt},
    {SLIPWAY_LIBVIRT(images),
     .help = "IMAGE=VOLUME each, where the volume of an image is not named as the image is.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(kernel),
     .help = "Path at the cells: VMs boot this kernel, not their disk. Empty: the disk.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(initrd), .help = "With kernel.", .type = kLibvirt},
    {SLIPWAY_LIBVIRT(cmdline), .help = "With kernel. {ipv4}, {prefix} and {mac} are put in.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(clone),
     .help = "A VM's disk: \"overlay\" is made at once and leans on its image, \"full\" is a copy.",
     .type = kLibvirt, .choices = "overlay|full"},
    {SLIPWAY_LIBVIRT(seed), .help = "Give each VM a NoCloud ISO with its name, keys and password.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(vnc_listen),
     .help = "Where VNC servers of VMs listen at the cells. Empty: on loopback.", .type = kLibvirt},
    {SLIPWAY_LIBVIRT(serial_directory),
     .help = "Of the cells: consoles are logged there, by UUID. Empty: they are not.",
     .type = kLibvirt},
    {SLIPWAY_LIBVIRT(hot_vcpus), .help = "So many times its cores a VM may get without a restart.",
     .type = kLibvirt, .min = 1, .max = 64},
    {SLIPWAY_LIBVIRT(hot_memory), .help = "The same of its memory.", .type = kLibvirt, .min = 1,
     .max = 64},
    {SLIPWAY_LIBVIRT(cpu_allocation_ratio),
     .help = "Cores promised to VMs for each core of a cell. Memory is never promised twice.",
     .type = kLibvirt, .min = 1, .max = 64},
    {SLIPWAY_LIBVIRT(migrate_mib_per_second),
     .help = "What one migration may take of the network. 0: no limit.", .type = kLibvirt,
     .max = 1e6},
    // ---- simulated ----
    {SLIPWAY_SIMULATED(face), .help = "As in simulated.clouds.", .type = kSimulated},
    {SLIPWAY_SIMULATED(create_latency), .help = "How long a create takes.", .type = kSimulated,
     .max = 86400},
    {SLIPWAY_SIMULATED(operation_latency), .help = "How long other operations take.",
     .type = kSimulated, .max = 86400},
    {SLIPWAY_SIMULATED(failure_rate), .help = "Share of calls that fail.", .type = kSimulated,
     .max = 1},
};

constexpr CellRow kCellRows[] = {
    {SLIPWAY_CELL(name), .help = "Its name as a host.", .example = R"("cell1")"},
    {SLIPWAY_CELL(uri), .help = "libvirt's connection URI.", .example = R"("qemu:///system")"},
    {SLIPWAY_CELL(migrate_uri),
     .help = "The URI that other cells' daemons reach it by. Empty: its uri."},
    {SLIPWAY_CELL(address), .help = "Shown to clients for VNC. Empty: the host's own name."},
    {SLIPWAY_CELL(storage_pool), .help = "The libvirt pool of disks and images."},
    {SLIPWAY_CELL(shared),
     .help = "Its pool is the same storage at all cells that say so: VMs migrate without their "
             "disks."},
    {SLIPWAY_CELL(max_calls), .help = "Calls under way to this daemon at a time: each is a thread.",
     .min = 1, .max = 256},
};

bool applies(const BackendRow& row, std::string_view type) {
  return row.type.empty() || row.type == type;
}

// ---- reading ----

// One table of the file into one struct, by its rows.
template <class Table>
class TableReader {
 public:
  TableReader(std::span<const Row<Table>> rows, std::string prefix, LoadedConfig& loaded)
      : rows_(rows), prefix_(std::move(prefix)), loaded_(loaded) {}

  void read(const TomlTable& from, std::string_view type, Table& into) {
    for (const TomlSetting& setting : from.settings) {
      const Row<Table>* row = find(setting.key, type);
      if (row == nullptr) {
        error(setting, fmt::format("unknown key {}{}", setting.key, guess(setting.key, type)));
      } else if (!row->type.empty() && row->type != type) {
        error(setting, fmt::format("{} is a key of {} backends", row->name, row->type));
      } else {
        take(setting, *row, into);
      }
    }
  }

 private:
  // The type's own where two types have a key of that name.
  const Row<Table>* find(std::string_view key, std::string_view type) const {
    const Row<Table>* found = nullptr;
    for (const Row<Table>& row : rows_) {
      if (row.name == key && (found == nullptr || row.type == type)) found = &row;
    }
    return found;
  }

  void error(const TomlSetting& setting, const std::string& message) {
    loaded_.errors.push_back({setting.origin, fmt::format("{}: {}", prefix_, message)});
  }

  void take(const TomlSetting& setting, const Row<Table>& row, Table& into) {
    const auto ref = row.ref(into);
    auto status = take_setting(setting, ref);
    if (status) status = check_bounds(ref, row.choices, row.min, row.max);
    if (!status) return error(setting, fmt::format("{}: {}", row.name, status.error().message));
    loaded_.origins[fmt::format("{}.{}", prefix_, row.name)] = setting.origin;
  }

  std::string guess(std::string_view key, std::string_view type) const {
    std::string_view nearest;
    std::size_t fewest = std::max<std::size_t>(2, key.size() / 3) + 1;
    for (const auto& row : rows_) {
      if (!row.type.empty() && row.type != type) continue;
      const std::size_t distance = edits(key, row.name);
      if (distance < fewest) nearest = row.name;
      fewest = std::min(fewest, distance);
    }
    return nearest.empty() ? "" : fmt::format(": did you mean {}?", nearest);
  }

  std::span<const Row<Table>> rows_;
  std::string prefix_;
  LoadedConfig& loaded_;
};

// It decides which keys there are, so it is looked at first.
std::string type_in(const TomlTable& table) {
  for (const TomlSetting& setting : table.settings) {
    if (setting.key == "type" && !setting.texts.empty()) return setting.texts[0];
  }
  return {};
}

std::string prefix_of(std::size_t backend) { return fmt::format("backends[{}]", backend); }
std::string prefix_of(std::size_t backend, std::size_t cell) {
  return fmt::format("backends[{}].cells[{}]", backend, cell);
}

// ---- rules ----

class BackendRules {
 public:
  BackendRules(LoadedConfig& loaded, std::size_t number)
      : loaded_(loaded), c_(loaded.config), b_(c_.backends[number]), prefix_(prefix_of(number)) {}

  void check() {
    require(is_backend_name(b_.name), "name",
            "is required: at most 64 letters, digits, _ and - that no other backend is named by");
    require(!b_.type.empty(), "type", "is required: one of simulated, openstack, libvirt");
    require(!b_.worker_pool.empty(), "worker_pool", "must not be empty");
    require(
        b_.call_timeout.count() == 0 || b_.call_timeout + c_.worker.margin < c_.tasks.lease_timeout,
        "call_timeout",
        "with worker.margin must be below tasks.lease_timeout, or no call could ever begin");
    if (b_.type == kOpenStack) openstack();
    if (b_.type == kLibvirt) libvirt();
  }

 private:
  void require(bool holds, std::string_view key, std::string_view message) {
    if (holds) return;
    const auto name = fmt::format("{}.{}", prefix_, key);
    auto origin = loaded_.origins.find(name);
    if (origin == loaded_.origins.end()) origin = loaded_.origins.find(prefix_);
    loaded_.errors.push_back({origin == loaded_.origins.end() ? Origin{} : origin->second,
                              fmt::format("{}: {}", name, message)});
  }

  void pairs(const TextList& list, std::string_view key) {
    for (const std::string& text : list) {
      require(split_pair(text).has_value(), key, fmt::format("\"{}\" is not NAME=VALUE", text));
    }
  }

  void openstack() {
    const OpenStackTable& o = b_.openstack;
    require(o.auth_url.starts_with("http://") || o.auth_url.starts_with("https://"), "auth_url",
            "is required: an http or https address");
    pairs(o.endpoints, "endpoints");
    const bool by_user = !o.user.empty() || !o.password_file.empty() || !o.project.empty();
    const bool by_credential =
        !o.application_credential_id.empty() || !o.application_credential_secret_file.empty();
    if (by_credential) {
      require(!by_user, "application_credential_id",
              "stands instead of user, password_file and project");
      require(!o.application_credential_id.empty(), "application_credential_id", "is required");
      require(!o.application_credential_secret_file.empty(), "application_credential_secret_file",
              "is required with application_credential_id");
      return;
    }
    require(!o.user.empty(), "user", "is required, or application_credential_id");
    require(!o.password_file.empty(), "password_file", "is required with user");
    require(!o.project.empty(), "project", "is required with user");
  }

  void libvirt() {
    const LibvirtTable& l = b_.libvirt;
    require(!l.cells.empty(), "cells", "is required: one [[backends.cells]] at least");
    pairs(l.images, "images");
    require(!l.kernel.empty() || (l.initrd.empty() && l.cmdline.empty()), "kernel",
            "is required with initrd and cmdline");
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < l.cells.size(); ++i) {
      const CellTable& cell = l.cells[i];
      require(is_backend_name(cell.name), fmt::format("cells[{}].name", i),
              "is required: at most 64 letters, digits, _ and -");
      require(names.insert(cell.name).second, fmt::format("cells[{}].name", i),
              "is another cell's too");
      require(!cell.uri.empty(), fmt::format("cells[{}].uri", i), "is required");
      require(!cell.storage_pool.empty(), fmt::format("cells[{}].storage_pool", i),
              "must not be empty");
    }
  }

  LoadedConfig& loaded_;
  const Config& c_;
  const BackendTable& b_;
  std::string prefix_;
};

// ---- showing ----

// A const table is only read through this.
template <class Table>
ValueRef ref_in(const Row<Table>& row, const Table& table) {
  return row.ref(const_cast<Table&>(table));  // NOLINT: see above
}

// Calls visit(key, value) for each key that a configured backend has.
template <class Visit>
void for_each_setting(const Config& config, Visit visit) {
  for (std::size_t i = 0; i < config.backends.size(); ++i) {
    const BackendTable& backend = config.backends[i];
    for (const BackendRow& row : kBackendRows) {
      if (!applies(row, backend.type)) continue;
      visit(fmt::format("{}.{}", prefix_of(i), row.name), ref_in(row, backend));
    }
    for (std::size_t j = 0; j < backend.libvirt.cells.size(); ++j) {
      for (const CellRow& row : kCellRows) {
        visit(fmt::format("{}.{}", prefix_of(i, j), row.name),
              ref_in(row, backend.libvirt.cells[j]));
      }
    }
  }
}

template <class Table>
std::string sampled(const Row<Table>& row, const Table& defaults) {
  const auto ref = ref_in(row, defaults);
  std::string notes;
  if (!row.choices.empty()) notes = fmt::format(" One of {}.", row.choices);
  return comment_lines(std::string(row.help) + notes) +
         fmt::format("#{} = {}\n\n", row.name,
                     row.example.empty() ? format_toml(ref) : std::string(row.example));
}

// What a type has beside the common keys.
std::string sample_of(std::string_view type, bool with_common) {
  BackendTable example;
  example.name = fmt::format("my-{}", type);
  example.type = type;
  std::string out = with_common ? "#[[backends]]\n"
                                : fmt::format("#[[backends]]\n#name = \"{}\"\n#type = \"{}\"\n\n",
                                              example.name, type);
  for (const BackendRow& row : kBackendRows) {
    if (row.type == type || (with_common && row.type.empty())) out += sampled(row, example);
  }
  if (type != kLibvirt) return out;
  out += "#[[backends.cells]]\n";
  for (const CellRow& row : kCellRows) out += sampled(row, CellTable{});
  return out;
}

}  // namespace

void read_backend(const TomlTable& table, LoadedConfig& loaded) {
  auto& all = loaded.config.backends;
  const std::size_t number = all.size();
  BackendTable& backend = all.emplace_back();
  const std::string type = type_in(table);
  loaded.origins[prefix_of(number)] = table.origin;
  TableReader<BackendTable>(kBackendRows, prefix_of(number), loaded).read(table, type, backend);
  for (const TomlTable& inner : table.tables) {
    if (inner.name != "cells" || type != kLibvirt) {
      loaded.errors.push_back({inner.origin, fmt::format("{}: unknown table [[backends.{}]]",
                                                         prefix_of(number), inner.name)});
      continue;
    }
    auto& cells = backend.libvirt.cells;
    const auto prefix = prefix_of(number, cells.size());
    loaded.origins[prefix] = inner.origin;
    TableReader<CellTable>(kCellRows, prefix, loaded).read(inner, "", cells.emplace_back());
  }
}

void check_backends(LoadedConfig& loaded) {
  for (std::size_t i = 0; i < loaded.config.backends.size(); ++i) {
    BackendRules(loaded, i).check();
  }
}

std::vector<BackendSetting> backend_settings(const Config& config) {
  std::vector<BackendSetting> all;
  for_each_setting(config, [&](std::string key, const ValueRef& ref) {
    all.push_back({std::move(key), format_toml(ref)});
  });
  return all;
}

std::vector<BackendFile> backend_files(const Config& config) {
  std::vector<BackendFile> all;
  for_each_setting(config, [&](std::string key, const ValueRef& ref) {
    if (const auto* secret = std::get_if<SecretFile*>(&ref)) {
      if (!(*secret)->empty()) all.push_back({std::move(key), (*secret)->path, true});
    } else if (key.ends_with(".ca_file")) {
      const std::string& path = **std::get_if<std::string*>(&ref);
      if (!path.empty()) all.push_back({std::move(key), path, false});
    }
  });
  return all;
}

std::string sample_backends() {
  return sample_of(kOpenStack, true) + sample_of(kLibvirt, false) + sample_of(kSimulated, false);
}

std::optional<std::pair<std::string, std::string>> split_pair(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return std::nullopt;
  }
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

bool is_backend_name(std::string_view text) {
  constexpr std::size_t kMaxName = 64;
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

}  // namespace slipway::app
