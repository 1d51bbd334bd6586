#pragma once
// How this dialect writes things: leases, hosts and the rest as JSON, errors as triples of code,
// message and name. Both profiles; `modern` has more members than the specification.
#include <string>
#include <string_view>

#include "api/edge/problem.hpp"
#include "api/edge/request.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api::reservation {

inline constexpr ContentType kType = "application/json";

// What rendering needs to know beside the thing itself.
struct View {
  bool modern = false;
  bool administers = false;  // sees private properties of hosts
  eventstore::DirectoryPtr people;
};

// Every answer says which version it is.
Response dress(Response response);
// {"error_code":404,"error_message":"...","error_name":404}
Response render_error(const ErrorInfo& info);
// {"error":405,"error_message":"..."}
Response wrong_verb(const Request& request, std::string_view allow);

void write_lease(base::JsonWriter& w, const domain::Lease& lease, const View& view);

using PrivateProperties = std::vector<std::string>;
// The members of a host, without the braces.
void write_host_members(base::JsonWriter& w, const domain::ReservableHost& host, const View& view,
                        const PrivateProperties& hidden);
void write_host(base::JsonWriter& w, const domain::ReservableHost& host, const View& view,
                const PrivateProperties& hidden);
void write_floating_ip(base::JsonWriter& w, const domain::FloatingIp& ip, base::Time created_at);
void write_booking(base::JsonWriter& w, const eventstore::ReservationRow& row);
std::string versions_body(std::string_view host, std::string_view prefix);

}  // namespace slipway::api::reservation
