// /security_policy_groups/ and the security of one guest: an action for what no rule matches, and
// rules in order.
#include <fmt/format.h>

#include <charconv>

#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::RuleChange;

constexpr std::string_view kMenu = "policy_group";

// ---- reading

std::optional<bool> accepts(FieldReader& body, std::string_view name, bool required) {
  const std::string action = body.text(name, {.required = required});
  if (action == "accept") return true;
  if (action == "reject") return false;
  if (!action.empty() || required) {
    body.errors().add(body.pointer(name), "wrong-value",
                      fmt::format("'{}' is accept or reject", name));
  }
  return std::nullopt;
}

std::string plain_address(FieldReader& body, std::string_view name) {
  std::string text = body.text(name);
  if (!text.empty() && !domain::parse_ipv4(text)) {
    body.errors().add(body.pointer(name), "wrong-value",
                      fmt::format("'{}' is an IPv4 address", name));
  }
  return text;
}

domain::SecurityRule read_rule(FieldReader& body) {
  domain::SecurityRule rule;
  rule.accept = accepts(body, "action", true).value_or(false);
  rule.protocol = body.text("protocol", {.required = true});
  if (rule.protocol != "tcp" && rule.protocol != "udp" && rule.protocol != "icmp") {
    body.errors().add("/protocol", "wrong-value",
                      fmt::format("invalid protocol '{}'", rule.protocol));
  }
  rule.from_address = plain_address(body, "from_address");
  rule.to_address = plain_address(body, "to_address");
  rule.to_port = static_cast<std::uint32_t>(body.number("to_port", 0, 65535).value_or(0));
  return rule;
}

// An index that is none is one that no list has.
std::size_t index_of(const Call& call) {
  std::size_t index = 0;
  const std::string_view text = call.params["index"];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() ? index : ~std::size_t{0};
}

RuleChange::Kind direction(FieldReader& body) {
  const std::string text = body.text("direction", {.required = true});
  if (text == "up") return RuleChange::Kind::MoveUp;
  if (text != "down") {
    body.errors().add("/direction", "wrong-value", "'direction' is up or down");
  }
  return RuleChange::Kind::MoveDown;
}

RuleChange read_change(const Call& call, RuleChange::Kind kind, FieldErrors& errors) {
  FieldReader body = read_body(call.request, errors);
  RuleChange change;
  change.kind = kind;
  change.index = kind == RuleChange::Kind::Add ? 0 : index_of(call);
  if (kind == RuleChange::Kind::Add || kind == RuleChange::Kind::Replace) {
    change.rule = read_rule(body);
  }
  if (kind == RuleChange::Kind::MoveUp) change.kind = direction(body);
  return change;
}

// ---- writing

std::string_view action(bool accept) { return accept ? "accept" : "reject"; }

void write_rules(base::JsonWriter& w, const std::vector<domain::SecurityRule>& rules) {
  w.begin_array();
  for (const domain::SecurityRule& rule : rules) {
    w.begin_object().member("action", action(rule.accept)).member("protocol", rule.protocol);
    if (!rule.from_address.empty()) w.member("from_address", rule.from_address);
    if (!rule.to_address.empty()) w.member("to_address", rule.to_address);
    w.member("to_port", rule.to_port).end_object();
  }
  w.end_array();
}

void write_group(base::JsonWriter& w, const domain::SecurityGroup& group) {
  w.begin_object().member("id", group.id).member("name", group.name);
  w.member("description", group.description).member("user", group.user);
  w.member("group", group.tenant).member("enabled", group.enabled);
  w.member("global", group.global);
  w.member("default_action", action(group.policy.accept_by_default)).end_object();
}

// ---- groups

void search_groups(Context& context, Call call) {
  ask(context, std::move(call),
      [](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto rows = reader.security_groups(identity_of(asked).own_scope());
        if (!rows) return client.fail(rows.error());
        const Request& r = asked.request;
        const auto owner = r.query_value("owner");
        const auto group = r.query_value("group");
        base::JsonWriter w;
        w.begin_array();
        for (const auto& row : rows->value) {
          if (r.query_value("enabled_only") == "true" && !row.group.enabled) continue;
          if (r.query_value("global_only") == "true" && !row.group.global) continue;
          if (owner && !owner->empty() && *owner != row.group.user) continue;
          if (group && !group->empty() && *group != row.group.tenant) continue;
          write_group(w, row.group);
        }
        client.send(success(w.end_array().view()));
      });
}

Handler about_group(std::function<void(base::JsonWriter&, const domain::SecurityGroup&)> write) {
  return [write = std::move(write)](Context& context, Call call) {
    ask(context, std::move(call),
        [write](const Call& asked, eventstore::Reader& reader, const Client& client) {
          const auto rows = reader.security_groups(identity_of(asked).own_scope());
          if (!rows) return client.fail(rows.error());
          const auto id = base::parse_uuid(asked.params["id"]);
          for (const auto& row : rows->value) {
            if (row.group.id != id) continue;
            base::JsonWriter w;
            write(w, row.group);
            return client.send(success(w.view()));
          }
          client.fail(Errc::NotFound, fmt::format("invalid security policy group '{}'",
                                                  asked.params["id"].substr(0, 64)));
        });
  };
}

void put_group(Context& context, const Call& call, const base::Uuid& id, bool is_new) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::DefineSecurityGroup define;
  define.is_new = is_new;
  define.group.id = id;
  define.group.name = body.text("name", {.required = true});
  define.group.description = body.text("description");
  define.group.user = identity_of(call).actor;
  define.group.enabled = maybe_flag(body, "enabled").value_or(true);
  define.group.global = body.flag("global");
  define.group.policy.accept_by_default = accepts(body, "default_action", true).value_or(false);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  base::JsonWriter w;
  w.begin_object().member("id", id).end_object();
  command(context, call, std::move(define), is_new ? w.text() : "\"\"");
}

base::Uuid group_id(const Call& call) {
  return base::parse_uuid(call.params["id"]).value_or(base::Uuid());
}

void create_group(Context& context, const Call& call) { put_group(context, call, new_id(), true); }
void update_group(Context& context, const Call& call) {
  put_group(context, call, group_id(call), false);
}
void delete_group(Context& context, const Call& call) {
  command(context, call, domain::DeleteSecurityGroup{group_id(call)});
}

Handler change_group(RuleChange::Kind kind) {
  return [kind](Context& context, const Call& call) {
    FieldErrors errors;
    RuleChange change = read_change(call, kind, errors);
    if (!errors.empty()) return client_of(call).fail(errors.error());
    command(context, call, domain::ChangeSecurityGroupRules{group_id(call), std::move(change)});
  };
}

// ---- one guest

void show_guest(Context& context, Call call) {
  ask(context, std::move(call),
      [](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto scope = identity_of(asked).own_scope();
        const auto id = base::parse_uuid(asked.params["id"]);
        const auto vm = reader.get_vm(scope, domain::VmId(id.value_or(base::Uuid())));
        if (!vm) return client.fail(vm.error());
        if (!vm->value || vm->value->state == domain::VmState::Deleted) {
          return client.fail(Errc::NotFound,
                             fmt::format("invalid guest '{}'", asked.params["id"].substr(0, 64)));
        }
        const auto policy = reader.vm_security(scope, vm->value->id);
        if (!policy) return client.fail(policy.error());
        base::JsonWriter w;
        w.begin_object();
        w.member("default_action", action(policy->value.accept_by_default)).key("rules");
        write_rules(w, policy->value.rules);
        client.send(success(w.end_object().view()));
      });
}

void put_guest_action(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::ChangeVmSecurity change;
  change.vm = domain::VmId(group_id(call));
  change.accept_by_default = accepts(body, "action", true);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(change));
}

Handler change_guest(RuleChange::Kind kind) {
  return [kind](Context& context, const Call& call) {
    FieldErrors errors;
    domain::ChangeVmSecurity change;
    change.vm = domain::VmId(group_id(call));
    change.change = read_change(call, kind, errors);
    if (!errors.empty()) return client_of(call).fail(errors.error());
    command(context, call, std::move(change));
  };
}

void group_paths(Area& area) {
  using enum RuleChange::Kind;
  const std::string groups = "/security_policy_groups/";
  const std::string menu(kMenu);
  area.get("/search/security_policy_groups/", search_groups);
  area.get(groups + "{id}", about_group(write_group));
  area.change(Method::Post, groups, menu, create_group);
  area.change(Method::Put, groups + "{id}", menu, update_group);
  area.change(Method::Delete, groups + "{id}", menu, delete_group);
  area.get(groups + "{id}/rules/", about_group([](base::JsonWriter& w, const auto& group) {
             write_rules(w, group.policy.rules);
           }));
  area.change(Method::Post, groups + "{id}/rules/", menu, change_group(Add));
  area.change(Method::Put, groups + "{id}/rules/{index}", menu, change_group(Replace));
  area.change(Method::Delete, groups + "{id}/rules/{index}", menu, change_group(Remove));
  area.change(Method::Put, groups + "{id}/rules/{index}/order", menu, change_group(MoveUp));
}

}  // namespace

void security_routes(Area& area) {
  using enum RuleChange::Kind;
  group_paths(area);
  const std::string policy = "/security_policy/";
  area.on_guest(Method::Get, policy, Right::View, show_guest);
  area.on_guest(Method::Put, policy + "default_action", Right::Operate, put_guest_action);
  area.on_guest(Method::Post, policy + "rules/", Right::Operate, change_guest(Add));
  area.on_guest(Method::Put, policy + "rules/{index}", Right::Operate, change_guest(Replace));
  area.on_guest(Method::Delete, policy + "rules/{index}", Right::Operate, change_guest(Remove));
  area.on_guest(Method::Put, policy + "rules/{index}/order", Right::Operate, change_guest(MoveUp));
}

}  // namespace slipway::api::nano
