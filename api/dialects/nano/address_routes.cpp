// /address_pools/ and their ranges. VMs take an address of the pool that their cell's pool names;
// of the VMs that have one, a caller without the role admin is told the own group's.
#include <fmt/format.h>

#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::ipv4_text;

constexpr std::string_view kMenu = "address_pool";
constexpr std::size_t kMaxServers = 16;

std::uint32_t address(FieldReader& body, std::string_view name, const std::string& text) {
  const auto ipv4 = domain::parse_ipv4(text);
  if (ipv4) return *ipv4;
  body.errors().add(body.pointer(name), "wrong-value",
                    fmt::format("invalid {} '{}': an IPv4 address", name, text));
  return 0;
}

std::optional<std::uint32_t> maybe_address(FieldReader& body, std::string_view name) {
  const auto text = maybe_text(body, name);
  return text ? std::optional(address(body, name, *text)) : std::nullopt;
}

std::optional<std::vector<std::uint32_t>> servers(FieldReader& body) {
  if (!body.member("dns")) return std::nullopt;
  std::vector<std::uint32_t> out;
  for (const std::string& text : texts(body, "dns", kMaxServers)) {
    out.push_back(address(body, "dns", text));
  }
  return out;
}

void write_block(base::JsonWriter& w, const domain::AddressBlock& block) {
  w.member("start", ipv4_text(block.start)).member("end", ipv4_text(block.end));
  w.member("netmask", ipv4_text(block.netmask));
}

void write_allocated(base::JsonWriter& w, const std::vector<eventstore::AddressRow>& rows,
                     std::uint32_t first, std::uint32_t last) {
  w.key("allocated").begin_array();
  for (const eventstore::AddressRow& row : rows) {
    if (row.ipv4 < first || last < row.ipv4) continue;
    w.begin_object().member("address", ipv4_text(row.ipv4)).member("instance", row.vm);
    w.end_object();
  }
  w.end_array();
}

std::uint64_t internal_addresses(const eventstore::AddressPoolRow& row) {
  std::uint64_t n = 0;
  for (const domain::AddressBlock& block : row.ranges) {
    if (block.kind == domain::RangeKind::Internal) n += std::uint64_t{block.end} - block.start + 1;
  }
  return n;
}

// ---- questions

void list_pools(Context& context, Call call) {
  ask(context, std::move(call), [](const Call&, eventstore::Reader& reader, const Client& client) {
    const auto pools = reader.address_pools();
    if (!pools) return client.fail(pools.error());
    const auto allocated = reader.allocated();
    if (!allocated) return client.fail(allocated.error());
    base::JsonWriter w;
    w.begin_array();
    for (const eventstore::AddressPoolRow& row : pools->value) {
      const auto n = allocated->value.find(row.pool.name);
      w.begin_object().member("name", row.pool.name);
      w.member("gateway", ipv4_text(row.pool.gateway));
      w.member("addresses", internal_addresses(row));
      w.member("allocated", n == allocated->value.end() ? 0 : n->second).end_object();
    }
    client.send(success(w.end_array().view()));
  });
}

using Shown = std::function<void(const Call&, const eventstore::AddressPoolRow&,
                                 eventstore::Reader&, const Client&)>;
Handler about_pool(Shown show) {
  return [show = std::move(show)](Context& context, Call call) {
    ask(context, std::move(call),
        [show](const Call& asked, eventstore::Reader& reader, const Client& client) {
          const auto pools = reader.address_pools();
          if (!pools) return client.fail(pools.error());
          const std::string_view name = asked.params["name"];
          for (const eventstore::AddressPoolRow& row : pools->value) {
            if (row.pool.name == name) return show(asked, row, reader, client);
          }
          client.fail(Errc::NotFound, fmt::format("invalid address pool '{}'", name));
        });
  };
}

void show_pool(const Call& asked, const eventstore::AddressPoolRow& row, eventstore::Reader& reader,
               const Client& client) {
  const auto addresses = reader.addresses(identity_of(asked).scope(), row.pool.name);
  if (!addresses) return client.fail(addresses.error());
  base::JsonWriter w;
  w.begin_object().member("gateway", ipv4_text(row.pool.gateway)).key("dns").begin_array();
  for (const std::uint32_t server : row.pool.dns) w.value(ipv4_text(server));
  w.end_array().key("ranges").begin_array();
  for (const domain::AddressBlock& block : row.ranges) {
    w.begin_object();
    write_block(w, block);
    w.end_object();
  }
  w.end_array();
  write_allocated(w, addresses->value, 0, ~0U);
  client.send(success(w.end_object().view()));
}

// nullopt: answered already.
std::optional<domain::RangeKind> range_kind(const Call& call, const Client& client) {
  const auto kind = base::enum_from_name<domain::RangeKind>(call.params["type"]);
  if (!kind) {
    client.send(failure(fmt::format("invalid range type '{}'", call.params["type"])));
  }
  return kind;
}
std::optional<std::uint32_t> range_start(const Call& call, const Client& client) {
  const auto start = domain::parse_ipv4(call.params["start"]);
  if (!start) client.send(failure(fmt::format("invalid start '{}'", call.params["start"])));
  return start;
}

void list_ranges(const Call& asked, const eventstore::AddressPoolRow& row, eventstore::Reader&,
                 const Client& client) {
  const auto kind = range_kind(asked, client);
  if (!kind) return;
  base::JsonWriter w;
  w.begin_array();
  for (const domain::AddressBlock& block : row.ranges) {
    if (block.kind != *kind) continue;
    w.begin_object();
    write_block(w, block);
    w.end_object();
  }
  client.send(success(w.end_array().view()));
}

void show_range(const Call& asked, const eventstore::AddressPoolRow& row,
                eventstore::Reader& reader, const Client& client) {
  const auto kind = range_kind(asked, client);
  if (!kind) return;
  const auto start = range_start(asked, client);
  if (!start) return;
  const auto addresses = reader.addresses(identity_of(asked).scope(), row.pool.name);
  if (!addresses) return client.fail(addresses.error());
  for (const domain::AddressBlock& block : row.ranges) {
    if (block.kind != *kind || block.start != *start) continue;
    base::JsonWriter w;
    w.begin_object();
    write_block(w, block);
    write_allocated(w, addresses->value, block.start, block.end);
    return client.send(success(w.end_object().view()));
  }
  client.fail(Errc::NotFound,
              fmt::format("no {} range from {}", asked.params["type"], asked.params["start"]));
}

// ---- commands

void create_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::AddressPool pool;
  pool.name = call.params["name"];
  pool.gateway = address(body, "gateway", body.text("gateway", {.required = true}));
  pool.dns = servers(body).value_or(std::vector<std::uint32_t>());
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (!is_plain_name(pool.name)) {
    return client_of(call).send(failure("only '0~9a~Z_.-' allowed in a pool name"));
  }
  command(context, call, domain::CreateAddressPool{std::move(pool)});
}

void update_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdateAddressPool update;
  update.name = call.params["name"];
  update.gateway = maybe_address(body, "gateway");
  update.dns = servers(body);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(update));
}

void delete_pool(Context& context, const Call& call) {
  command(context, call, domain::DeleteAddressPool{std::string(call.params["name"])});
}

void add_range(Context& context, const Call& call) {
  const Client client = client_of(call);
  const auto kind = range_kind(call, client);
  if (!kind) return;
  const auto start = range_start(call, client);
  if (!start) return;
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const std::uint32_t end = address(body, "end", body.text("end", {.required = true}));
  const std::uint32_t mask = address(body, "netmask", body.text("netmask", {.required = true}));
  if (!errors.empty()) return client.fail(errors.error());
  command(context, call,
          domain::AddAddressRange{std::string(call.params["name"]), {*kind, *start, end, mask}});
}

void remove_range(Context& context, const Call& call) {
  const Client client = client_of(call);
  const auto kind = range_kind(call, client);
  if (!kind) return;
  const auto start = range_start(call, client);
  if (!start) return;
  command(context, call,
          domain::RemoveAddressRange{std::string(call.params["name"]), *kind, *start});
}

}  // namespace

void address_routes(Area& area) {
  const std::string pool = "/address_pools/{name}";
  const std::string range = "/address_pools/{name}/{type}/ranges/{start}";
  area.get("/address_pools/", list_pools);
  area.get(pool, about_pool(show_pool));
  area.change(Method::Post, pool, std::string(kMenu), create_pool);
  area.change(Method::Put, pool, std::string(kMenu), update_pool);
  area.change(Method::Delete, pool, std::string(kMenu), delete_pool);
  area.get("/address_pools/{name}/{type}/ranges/", about_pool(list_ranges));
  area.get(range, about_pool(show_range));
  area.change(Method::Post, range, std::string(kMenu), add_range);
  area.change(Method::Delete, range, std::string(kMenu), remove_range);
}

}  // namespace slipway::api::nano
