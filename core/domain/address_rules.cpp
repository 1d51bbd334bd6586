// Address pools and their ranges.
#include <fmt/format.h>

#include "core/domain/infrastructure_rules.hpp"

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

constexpr std::uint64_t kMaxRange = 1U << 22U;
constexpr std::size_t kMaxRanges = 256;

tl::unexpected<base::Error> no_pool(std::string_view name) {
  return fail(Errc::NotFound, fmt::format("invalid address pool '{}'", name));
}

bool is_netmask(std::uint32_t mask) { return mask != 0 && (~mask & (~mask + 1)) == 0; }

Status check_block(const AddressBlock& block) {
  const auto bad = [](std::string text) { return fail(Errc::UnprocessableArgument, text); };
  if (block.end < block.start) {
    return bad(fmt::format("range ends at {}, before its start", ipv4_text(block.end)));
  }
  if (!is_netmask(block.netmask)) {
    return bad(fmt::format("invalid netmask '{}'", ipv4_text(block.netmask)));
  }
  if ((block.start & block.netmask) != (block.end & block.netmask)) {
    return bad("both ends of a range are in one network");
  }
  if (block.start == 0 || block.end == ~0U ||
      std::uint64_t{block.end} - block.start + 1 > kMaxRange) {
    return bad(fmt::format("a range has 1 to {} addresses that can be given", kMaxRange));
  }
  return {};
}

}  // namespace

Status decide_on(Draft& draft, const Command&, const CreateAddressPool& c) {
  if (draft.world.infrastructure().address_pool(c.pool.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("address pool '{}' already exists", c.pool.name));
  }
  draft.add(StreamKind::AddressPool, c.pool.name, AddressPoolCreated{c.pool});
  return {};
}

Status decide_on(Draft& draft, const Command&, const UpdateAddressPool& c) {
  const LiveAddressPool* old = draft.world.infrastructure().address_pool(c.name);
  if (old == nullptr) return no_pool(c.name);
  AddressPool pool = old->pool;
  pool.gateway = c.gateway.value_or(pool.gateway);
  pool.dns = c.dns.value_or(pool.dns);
  draft.add(StreamKind::AddressPool, c.name, AddressPoolUpdated{std::move(pool)});
  return {};
}

Status decide_on(Draft& draft, const Command&, const DeleteAddressPool& c) {
  const Infrastructure& all = draft.world.infrastructure();
  const LiveAddressPool* pool = all.address_pool(c.name);
  if (pool == nullptr) return no_pool(c.name);
  if (const auto n = pool->allocated(); n > 0) {
    return fail(Errc::IllegalTransition,
                fmt::format("{} addresses of pool '{}' are allocated", n, c.name));
  }
  for (const auto& [name, hosts] : all.pools()) {
    if (hosts.network != c.name) continue;
    return fail(Errc::IllegalTransition,
                fmt::format("address pool '{}' is attached to pool '{}'", c.name, name));
  }
  draft.add(StreamKind::AddressPool, c.name, AddressPoolDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command&, const AddAddressRange& c) {
  const LiveAddressPool* pool = draft.world.infrastructure().address_pool(c.pool);
  if (pool == nullptr) return no_pool(c.pool);
  if (auto status = check_block(c.range); !status) return status;
  if (pool->ranges.size() >= kMaxRanges) {
    return fail(Errc::QuotaExceeded, fmt::format("a pool has at most {} ranges", kMaxRanges));
  }
  for (const LiveAddressRange& other : pool->ranges) {
    if (c.range.end < other.block.start || other.block.end < c.range.start) continue;
    return fail(Errc::IllegalTransition,
                fmt::format("range overlaps with {}~{}", ipv4_text(other.block.start),
                            ipv4_text(other.block.end)));
  }
  draft.add(StreamKind::AddressPool, c.pool, AddressRangeAdded{c.range});
  return {};
}

Status decide_on(Draft& draft, const Command&, const RemoveAddressRange& c) {
  const LiveAddressPool* pool = draft.world.infrastructure().address_pool(c.pool);
  if (pool == nullptr) return no_pool(c.pool);
  const LiveAddressRange* range = pool->range(c.kind, c.start);
  if (range == nullptr) {
    return fail(Errc::NotFound, fmt::format("no {} range from {} in pool '{}'",
                                            base::enum_name(c.kind), ipv4_text(c.start), c.pool));
  }
  if (const auto n = range->addresses.taken(); n > 0) {
    return fail(Errc::IllegalTransition, fmt::format("{} addresses of the range are allocated", n));
  }
  draft.add(StreamKind::AddressPool, c.pool, AddressRangeRemoved{c.kind, c.start});
  return {};
}

}  // namespace slipway::domain
