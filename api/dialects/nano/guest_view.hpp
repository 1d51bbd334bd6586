#pragma once
// How nano shows a VM, by whatever door it was made.
#include <functional>
#include <map>
#include <string>

#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

// What is known beside a VM's own row.
struct GuestScene {
  std::map<std::string, domain::Host> cells;  // by name
  // Of the task under way, in per cent.
  std::function<std::uint32_t(const domain::TaskId&)> progress;
  // A secret's value; empty if there is none.
  std::function<std::string(const domain::SecretRef& ref)> secret;

  const std::string& pool_of(const eventstore::VmRow& vm) const;
  // Names of the cells of a pool, in order.
  std::vector<std::string> cells_of(std::string_view pool) const;
};
// Reads the cells; on the query pool. The scene may be kept.
base::Result<GuestScene> read_scene(Context& context, eventstore::Reader& reader,
                                    const std::string& tenant);

bool is_created(const eventstore::VmRow& vm);
bool is_running(const eventstore::VmRow& vm);
std::uint32_t progress_of(const GuestScene& scene, const eventstore::VmRow& vm);

// {"name", "created": false, "progress"}: while it is being made.
void write_unfinished(base::JsonWriter& w, const GuestScene& scene, const eventstore::VmRow& vm);

struct GuestParts {
  bool monitor_secret = true;
  bool runtime = false;  // what GET /instances/{id} adds
};
void write_guest(base::JsonWriter& w, const GuestScene& scene, const eventstore::VmRow& vm,
                 GuestParts parts);

// Which guests a search asks for; empty members ask for nothing.
struct GuestWish {
  std::string owner;
  std::string group;
  std::string keyword;  // in the name
  std::optional<bool> running;
  std::optional<bool> created;
  bool fits(const eventstore::VmRow& vm) const;
};
// "0", "1", "true", "false"; nullopt for an absent or empty one; an Error for anything else.
base::Result<std::optional<bool>> flag_of(const Request& request, std::string_view name);

}  // namespace slipway::api::nano
