#pragma once
// What several groups of routes ask of pools and cells.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

base::Result<std::vector<eventstore::HostRow>> all_hosts(eventstore::Reader& reader);
// NotFound if there is none.
base::Result<domain::Pool> find_pool(eventstore::Reader& reader, std::string_view name);
base::Result<eventstore::HostRow> find_cell(eventstore::Reader& reader, std::string_view pool,
                                            std::string_view name);

// A cell is alive while a worker of its backend is connected, unless the host was declared lost.
class Liveness {
 public:
  static base::Result<Liveness> of(const ApiServices& services, eventstore::Reader& reader);
  bool alive(const domain::Host& host) const;

 private:
  std::vector<std::string> backends_;  // that somebody serves
  std::vector<std::string> lost_;      // hosts
};

}  // namespace slipway::api::nano
