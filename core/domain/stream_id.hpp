#pragma once
// An aggregate is one stream of events, `<kind>-<id>`. Most are known by a UUID, a few by a name
// that their users chose (flavors, pools, backends, users, ...).
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/fields.hpp"
#include "core/base/uuid.hpp"

namespace slipway::domain {

// Stored by name in the log and by number in the stream index: append only, never renumber.
enum class StreamKind : std::uint8_t {
  Command,
  Task,
  Batch,
  Vm,
  Image,
  Snapshot,
  Lease,
  Reservation,
  Host,
  Pool,
  StoragePool,
  AddressPool,
  Network,
  Flavor,
  Project,
  Backend,
  User,
  Group,
  Role,
  Session,
  Token,
  Audit,
  Subscription,
  System,
  Keypair,
  Template,
  SecurityGroup,
};
constexpr std::array<std::string_view, 27> enum_names(StreamKind) {
  return {"command", "task",        "batch",         "vm",      "image",        "snapshot",
          "lease",   "reservation", "host",          "pool",    "storage_pool", "address_pool",
          "network", "flavor",      "project",       "backend", "user",         "group",
          "role",    "session",     "token",         "audit",   "subscription", "system",
          "keypair", "template",    "security_group"};
}

struct StreamId {
  StreamKind kind = StreamKind::System;
  base::Uuid id;     // nil for a named aggregate
  std::string name;  // empty for one known by its UUID

  StreamId() = default;
  StreamId(StreamKind k, const base::Uuid& u) : kind(k), id(u) {}
  StreamId(StreamKind k, std::string_view n) : kind(k), name(n) {}
  bool operator==(const StreamId&) const = default;

  // "vm-0197a265-...", "flavor-m1.nano".
  std::string text() const;
  static std::optional<StreamId> parse(std::string_view text);

  // The key of the stream index: kind, then 16 bytes or the name. Order is meaningless.
  std::string index_key() const;
};

}  // namespace slipway::domain
