#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/domain/world.hpp"

// Equality of worlds for tests and the simulator: sorted lines, so that no table's order shows.
namespace slipway::domain {
namespace {

template <class T>
std::string json(const T& value) {
  base::JsonWriter w;
  base::write_json(w, value);
  return w.text();
}

std::string text(const Usage& u) {
  return fmt::format("{} vms {} vcpus {} MB {} GB", u.vms, u.vcpus, u.memory_mb, u.disk_gb);
}

class Lines {
 public:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    lines_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  std::string sorted() {
    std::sort(lines_.begin(), lines_.end());
    std::string out;
    for (const std::string& line : lines_) out += line + '\n';
    return out;
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace

std::string World::dump_for_test() const {
  Lines out;
  out.add("head {} {}", next_seq_, initialized_);
  for (const auto& [id, task] : tasks_) out.add("task {}", json(*task));
  for (const auto& [id, vm] : vms_) out.add("vm {}", json(*vm));
  for (const auto& [id, image] : images_) out.add("image {}", json(image));
  for (const auto& [id, flavor] : flavors_) out.add("flavor {} {}", id, json(flavor));
  for (const auto& network : networks_) out.add("network {}", json(network));
  for (AddressRange range; const auto& [id, live] : addresses_) {
    range = live;
    range.pack();
    out.add("addresses {} {}", base::to_string(id), json(range));
  }
  for (const auto& [name, backend] : backends_) out.add("backend {}", json(backend));
  for (const auto& [name, host] : hosts_) out.add("host {} {}", json(host.host), text(host.used));
  for (const auto& [name, host] : hosts_) {
    for (const VmId& guest : host.guests) out.add("guest {} {}", name, base::to_string(guest));
  }
  leases_.dump_for_test([&](const std::string& line) { out.add("{}", line); });
  nodes_.dump_for_test([&](const std::string& line) { out.add("{}", line); });
  for (const auto& [name, project] : projects_) out.add("project {}", json(project));
  for (const auto& [name, user] : users_) out.add("user {}", json(user));
  for (const auto& [id, token] : tokens_) out.add("token {}", json(token));
  for (const auto& [name, version] : named_versions_) out.add("version {} {}", name, version);
  out.add("infrastructure {}", json(infrastructure_.kept()));
  out.add("membership {}", json(membership_.kept()));
  for (const auto& [pool, queue] : ready_) {
    for (const ReadyKey& k : queue) {
      out.add("ready {} {} {} {}", pool, k.inverse_priority, k.seq, base::to_string(k.task));
    }
  }
  for (const Timer& t : timers_) {
    out.add("timer {} {} {}", base::rfc3339(t.due), static_cast<int>(t.kind),
            base::to_string(t.task));
  }
  for (const auto& [name, id] : flavor_ids_) out.add("flavor-name {} {}", name, id);
  for (const auto& [name, id] : image_ids_) out.add("image-name {} {}", name, base::to_string(id));
  for (const auto& [project, used] : usage_) out.add("usage {} {}", project, text(used));
  for (const auto& [tenant, n] : in_flight_) out.add("in-flight {} {}", tenant, n);
  for (const auto& [id, waiting] : dependents_) {
    for (const TaskId& w : waiting) out.add("waits {} {}", base::to_string(id), base::to_string(w));
  }
  for (std::size_t i = 0; const TaskId& id : recent_order_) {
    out.add("recent {:06} {} {}", i++, base::to_string(id), base::enum_name(recent_.at(id)));
  }
  return out.sorted();
}

}  // namespace slipway::domain
