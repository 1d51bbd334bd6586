// Pools of hosts and of storage.
#include <fmt/format.h>

#include <algorithm>

#include "core/domain/infrastructure_rules.hpp"

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

tl::unexpected<base::Error> no_pool(std::string_view name) {
  return fail(Errc::NotFound, fmt::format("invalid pool '{}'", name));
}

// What a pool names must be there.
Status check_parts(const Draft& draft, const Pool& pool) {
  const Infrastructure& all = draft.world.infrastructure();
  if (!pool.storage.empty() && all.storage_pool(pool.storage) == nullptr) {
    return fail(Errc::NotFound, fmt::format("invalid storage pool '{}'", pool.storage));
  }
  if (!pool.network.empty() && all.address_pool(pool.network) == nullptr) {
    return fail(Errc::NotFound, fmt::format("invalid address pool '{}'", pool.network));
  }
  return {};
}

Status attach(Draft& draft, const std::string& pool, const std::string& name) {
  const auto it = draft.world.hosts().find(name);
  if (it == draft.world.hosts().end()) {
    return fail(Errc::NotFound, fmt::format("invalid cell '{}'", name));
  }
  if (!it->second.host.pool.empty()) {
    return fail(Errc::IllegalTransition,
                fmt::format("cell '{}' already in pool '{}'", name, it->second.host.pool));
  }
  Host host = it->second.host;
  host.pool = pool;
  draft.add(StreamKind::Host, name, HostAttached{std::move(host)});
  return {};
}

// nullptr: no such host, or in another pool.
const World::LiveHost* host_in(const Draft& draft, std::string_view pool, const std::string& name) {
  const auto it = draft.world.hosts().find(name);
  return it == draft.world.hosts().end() || it->second.host.pool != pool ? nullptr : &it->second;
}
tl::unexpected<base::Error> no_host(std::string_view pool, std::string_view name) {
  return fail(Errc::NotFound, fmt::format("no cell '{}' in pool '{}'", name, pool));
}

// A pool of hosts that uses the storage; empty if none does, or none with VMs on it.
std::string user_of_storage(const Draft& draft, std::string_view storage, bool with_vms) {
  for (const auto& [name, pool] : draft.world.infrastructure().pools()) {
    if (pool.storage != storage) continue;
    const std::string& in = name;
    const bool used =
        !with_vms ||
        std::any_of(draft.world.hosts().begin(), draft.world.hosts().end(), [&](const auto& host) {
          return host.second.host.pool == in && host.second.used.vms > 0;
        });
    if (used) return name;
  }
  return {};
}

}  // namespace

// ---- pools of hosts ----

Status decide_on(Draft& draft, const Command&, const CreatePool& c) {
  if (draft.world.infrastructure().pool(c.pool.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("pool '{}' already exists", c.pool.name));
  }
  if (auto status = check_parts(draft, c.pool); !status) return status;
  draft.add(StreamKind::Pool, c.pool.name, PoolCreated{c.pool});
  std::set<std::string> seen;
  for (const std::string& host : c.hosts) {
    if (!seen.insert(host).second) continue;
    if (auto status = attach(draft, c.pool.name, host); !status) return status;
  }
  return {};
}

Status decide_on(Draft& draft, const Command&, const UpdatePool& c) {
  const Pool* old = draft.world.infrastructure().pool(c.name);
  if (old == nullptr) return no_pool(c.name);
  Pool pool = *old;
  pool.enabled = c.enabled.value_or(pool.enabled);
  pool.network_mode = c.network_mode.value_or(pool.network_mode);
  pool.storage = c.storage.value_or(pool.storage);
  pool.network = c.network.value_or(pool.network);
  pool.failover = c.failover.value_or(pool.failover);
  if (auto status = check_parts(draft, pool); !status) return status;
  draft.add(StreamKind::Pool, c.name, PoolUpdated{std::move(pool)});
  return {};
}

Status decide_on(Draft& draft, const Command&, const DeletePool& c) {
  if (draft.world.infrastructure().pool(c.name) == nullptr) return no_pool(c.name);
  if (c.name == kDefaultPool) {
    return fail(Errc::IllegalTransition, "the default pool always exists");
  }
  for (const auto& [name, live] : draft.world.hosts()) {
    if (live.host.pool != c.name) continue;
    return fail(Errc::IllegalTransition,
                fmt::format("pool '{}' still has cell '{}'", c.name, name));
  }
  draft.add(StreamKind::Pool, c.name, PoolDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command&, const AttachHost& c) {
  if (draft.world.infrastructure().pool(c.pool) == nullptr) return no_pool(c.pool);
  return attach(draft, c.pool, c.host);
}

Status decide_on(Draft& draft, const Command&, const DetachHost& c) {
  const auto* live = host_in(draft, c.pool, c.host);
  if (live == nullptr) return no_host(c.pool, c.host);
  if (live->used.vms > 0) {
    return fail(Errc::IllegalTransition,
                fmt::format("cell '{}' still has {} instances", c.host, live->used.vms));
  }
  draft.add(StreamKind::Host, c.host, HostDetached{});
  return {};
}

Status decide_on(Draft& draft, const Command&, const SetHostEnabled& c) {
  const auto* live = host_in(draft, c.pool, c.host);
  if (live == nullptr) return no_host(c.pool, c.host);
  if (live->host.enabled == c.enabled) return {};
  if (c.enabled) {
    draft.add(StreamKind::Host, c.host, HostEnabled{});
  } else {
    draft.add(StreamKind::Host, c.host, HostDisabled{});
  }
  return {};
}

// ---- storage ----

Status decide_on(Draft& draft, const Command&, const CreateStoragePool& c) {
  if (draft.world.infrastructure().storage_pool(c.pool.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("storage pool '{}' already exists", c.pool.name));
  }
  draft.add(StreamKind::StoragePool, c.pool.name, StoragePoolCreated{c.pool});
  return {};
}

Status decide_on(Draft& draft, const Command&, const UpdateStoragePool& c) {
  const StoragePool* old = draft.world.infrastructure().storage_pool(c.name);
  if (old == nullptr) {
    return fail(Errc::NotFound, fmt::format("invalid storage pool '{}'", c.name));
  }
  if (const std::string user = user_of_storage(draft, c.name, true); !user.empty()) {
    return fail(Errc::IllegalTransition,
                fmt::format("storage pool '{}' has volumes of pool '{}'", c.name, user));
  }
  StoragePool pool = *old;
  pool.type = c.type.value_or(pool.type);
  pool.host = c.host.value_or(pool.host);
  pool.target = c.target.value_or(pool.target);
  draft.add(StreamKind::StoragePool, c.name, StoragePoolUpdated{std::move(pool)});
  return {};
}

Status decide_on(Draft& draft, const Command&, const DeleteStoragePool& c) {
  if (draft.world.infrastructure().storage_pool(c.name) == nullptr) {
    return fail(Errc::NotFound, fmt::format("invalid storage pool '{}'", c.name));
  }
  if (const std::string user = user_of_storage(draft, c.name, false); !user.empty()) {
    return fail(Errc::IllegalTransition,
                fmt::format("storage pool '{}' is attached to pool '{}'", c.name, user));
  }
  draft.add(StreamKind::StoragePool, c.name, StoragePoolDeleted{});
  return {};
}

}  // namespace slipway::domain
