#pragma once
// Which day an hour belongs to, where somebody lives.
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"

namespace slipway::eventstore {

class TimeZone {
 public:
  // "" and "UTC"; an offset "+02:00", "-0330", "+05"; or a name of the zone database
  // ("Europe/Berlin"). nullopt for anything else.
  static std::optional<TimeZone> find(std::string_view name);

  // The beginning, as an instant, of the local day in which `t` lies.
  base::Time day_of(base::Time t) const;

 private:
  base::Duration offset_{};
  const void* zone_ = nullptr;  // date::time_zone, owned by the library; null: the offset holds
};

}  // namespace slipway::eventstore
