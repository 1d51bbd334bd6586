// Templates, security groups and the security of one VM.
#include <fmt/format.h>

#include "core/domain/infrastructure_rules.hpp"

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

Status change(std::vector<SecurityRule>& rules, const RuleChange& c) {
  using enum RuleChange::Kind;
  if (c.kind == Add) {
    if (rules.size() >= kMaxSecurityRules) {
      return fail(Errc::QuotaExceeded, fmt::format("at most {} rules", kMaxSecurityRules));
    }
    rules.push_back(c.rule);
    return {};
  }
  if (c.index >= rules.size()) {
    return fail(Errc::NotFound, fmt::format("invalid rule index {}", c.index));
  }
  const auto at = rules.begin() + static_cast<std::ptrdiff_t>(c.index);
  if (c.kind == Replace) {
    *at = c.rule;
  } else if (c.kind == Remove) {
    rules.erase(at);
  } else if (c.kind == MoveUp) {
    if (c.index == 0) return fail(Errc::IllegalTransition, "the rule is the first already");
    std::swap(*at, *(at - 1));
  } else {
    if (c.index + 1 == rules.size()) {
      return fail(Errc::IllegalTransition, "the rule is the last already");
    }
    std::swap(*at, *(at + 1));
  }
  return {};
}

// One of the caller's own; another tenant's global one is seen, and not to be changed.
base::Result<const SecurityGroup*> own_group(const Draft& draft, const Command& command,
                                             const base::Uuid& id) {
  const SecurityGroup* group = draft.world.infrastructure().security_group(id);
  if (group == nullptr || !command.caller.owns(group->tenant)) {
    return fail(Errc::NotFound,
                fmt::format("invalid security policy group '{}'", base::to_string(id)));
  }
  return group;
}

}  // namespace

Status decide_on(Draft& draft, const Command&, const DefineTemplate& c) {
  const SystemTemplate* old = draft.world.infrastructure().system_template(c.system.id);
  if ((old == nullptr) != c.is_new) {
    return fail(Errc::NotFound, fmt::format("invalid template '{}'", base::to_string(c.system.id)));
  }
  draft.add(StreamKind::Template, c.system.id, TemplateDefined{c.system});
  return {};
}

Status decide_on(Draft& draft, const Command&, const DeleteTemplate& c) {
  if (draft.world.infrastructure().system_template(c.id) == nullptr) {
    return fail(Errc::NotFound, fmt::format("invalid template '{}'", base::to_string(c.id)));
  }
  draft.add(StreamKind::Template, c.id, TemplateDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const DefineSecurityGroup& c) {
  SecurityGroup group = c.group;
  group.tenant = command.caller.tenant;
  if (!c.is_new) {
    const auto old = own_group(draft, command, c.group.id);
    if (!old) return fail(old.error());
    group.policy.rules = (*old)->policy.rules;
  }
  draft.add(StreamKind::SecurityGroup, group.id, SecurityGroupDefined{group});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const ChangeSecurityGroupRules& c) {
  const auto old = own_group(draft, command, c.id);
  if (!old) return fail(old.error());
  SecurityGroup group = **old;
  if (auto status = change(group.policy.rules, c.change); !status) return status;
  draft.add(StreamKind::SecurityGroup, c.id, SecurityGroupDefined{std::move(group)});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const DeleteSecurityGroup& c) {
  const auto old = own_group(draft, command, c.id);
  if (!old) return fail(old.error());
  draft.add(StreamKind::SecurityGroup, c.id, SecurityGroupDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const ChangeVmSecurity& c) {
  const Vm* vm = draft.world.vm(c.vm);
  if (vm == nullptr || !command.caller.owns(vm->tenant)) {
    return fail(Errc::NotFound, fmt::format("invalid guest '{}'", base::to_string(c.vm)));
  }
  SecurityPolicy policy = draft.world.infrastructure().security_of(c.vm);
  policy.accept_by_default = c.accept_by_default.value_or(policy.accept_by_default);
  if (c.change) {
    if (auto status = change(policy.rules, *c.change); !status) return status;
  }
  draft.add(StreamKind::Vm, c.vm, VmSecurityChanged{std::move(policy)});
  return {};
}

}  // namespace slipway::domain
