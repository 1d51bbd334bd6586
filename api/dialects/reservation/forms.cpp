#include "api/dialects/reservation/forms.hpp"

namespace slipway::api::reservation {

void HostForm::write(base::JsonWriter& w, const domain::World& world) const {
  const domain::LeaseBook& book = world.leases();
  const domain::ReservableHost* host = book.host(host_);
  if (host == nullptr) host = book.host_by_number(std::strtoull(host_.c_str(), nullptr, 10));
  w.begin_object();
  if (host != nullptr) {
    w.key("host");
    write_host(w, *host, view(), {});
    if (flat_) write_host_members(w, *host, view(), {});
  }
  w.end_object();
}

}  // namespace slipway::api::reservation
