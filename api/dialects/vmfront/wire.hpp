#pragma once
// How vmfront writes things: JSON in the style of its original (a blank after each comma and
// colon), times without a fraction, Python's own notation for the statistic.
#include <string>
#include <string_view>

#include "api/edge/problem.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api::vmfront {

// Exactly the type that the original sends.
inline constexpr ContentType kType = "application/json";

// {"error": "..."}; the status is the dialect's own where the core's differs.
Response render_error(const ErrorInfo& info);
Response error(int status, std::string_view text);

// Appends JSON: "key": value, in the original's spacing. Small, because the order of the members
// and the blanks are part of what clients compare.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& raw(std::string_view text);    // JSON as it stands
  Writer& text(std::string_view value);  // a string, escaped
  Writer& key(std::string_view name);    // , "name":  (the comma where one is due)
  Writer& open(char bracket);            // { or [
  Writer& close(char bracket);           // } or ]
  Writer& next();                        // before an array's next element
  Writer& member(std::string_view name, std::string_view value) { return key(name).text(value); }
  Writer& member_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
  Writer& member_number(std::string_view name, std::uint64_t value);

 private:
  std::string& out_;
  bool first_ = true;
};

std::string seconds(base::Time t);         // 2021-02-18T18:37:46Z
std::string micros(base::Time t);          // 2021-02-18T18:37:50.000000
std::string hour(base::Time t);            // 2021-02-26 17:00:00
std::string hex_id(const base::Uuid& id);  // 32 digits without dashes

struct ServerStatus {
  std::string_view status;
  std::string_view vm_state;
  std::string_view task_state;  // empty: null
  int power_state;
};
ServerStatus status_of_vm(domain::VmState state);

// What a list of servers needs to know beside the rows.
struct ServerContext {
  std::string host;  // of the links: the Host header
  std::string tenant_id;
  std::string user_id;
  std::map<domain::NetworkId, std::string> networks;
};
void write_server(Writer& w, const eventstore::VmRow& vm, const ServerContext& context);
void write_links(Writer& w, std::string_view host, std::string_view kind, std::string_view id);
void write_network(Writer& w, const eventstore::NetworkRow& row, std::string_view tenant_id);
void write_image(Writer& w, const eventstore::ImageRow& row, std::string_view owner_id);
void write_flavor(Writer& w, const domain::Flavor& flavor, std::string_view host);
// [{'timestamp': '...', 'virtual_machines_number': 8}]; as JSON with double quotes.
std::string write_hours(const std::vector<eventstore::HourCount>& hours, char quote);

}  // namespace slipway::api::vmfront
