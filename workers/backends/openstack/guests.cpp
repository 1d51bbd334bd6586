// What else is set of a server, and the way to its screen.
#include <fmt/format.h>

#include <utility>

#include "workers/backends/openstack/operations.hpp"
#include "workers/backends/vm_stats.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

Async<Outcome<Server>> present(Job& job) {
  const auto server = co_await job.subject();
  if (server && server->gone) {
    co_return tl::unexpected<BackendError>(refusal(Errc::NotFound, "the server is not there"));
  }
  co_return server;
}

void write_limit(base::JsonWriter& w, std::string_view name, std::uint64_t value) {
  if (value != 0) w.member(name, std::to_string(value));
}

// Nova takes limits from flavors and volume types alone: on the server they are a note.
std::string metadata_body(const domain::GuestSpec& guest) {
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object();
  w.member("slipway_auto_start", guest.auto_start ? "true" : "false");
  if (guest.qos) {
    const domain::Qos& qos = *guest.qos;
    if (!qos.cpu_priority.empty()) w.member("slipway_cpu_priority", qos.cpu_priority);
    write_limit(w, "slipway_read_bytes", qos.read_bytes);
    write_limit(w, "slipway_write_bytes", qos.write_bytes);
    write_limit(w, "slipway_read_iops", qos.read_iops);
    write_limit(w, "slipway_write_iops", qos.write_iops);
    write_limit(w, "slipway_receive_bytes", qos.receive_bytes);
    write_limit(w, "slipway_send_bytes", qos.send_bytes);
  }
  return w.end_object().end_object().text();
}

}  // namespace

Async<BackendAnswer> rename(Job& job) {
  const auto server = co_await present(job);
  if (!server) co_return BackendAnswer::failed(server.error());
  base::JsonWriter w;
  w.begin_object().key("server").begin_object().member("name", job.order().args.name);
  const Reply reply =
      co_await job.nova("PUT", "/servers/" + server->id, w.end_object().end_object().text());
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  co_return done(server->id);
}

Async<BackendAnswer> configure(Job& job) {
  const auto& change = job.order().args.guest;
  if (!change || !change->after) {
    co_return refused(Errc::InvalidArgument, "it is not said what to change");
  }
  const auto server = co_await present(job);
  if (!server) co_return BackendAnswer::failed(server.error());
  const Reply reply = co_await job.nova("POST", fmt::format("/servers/{}/metadata", server->id),
                                        metadata_body(*change->after));
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  co_return done(server->id);
}

Async<BackendAnswer> set_credential(Job& job) {
  const auto& change = job.order().args.guest;
  const base::Secret* password = change ? job.call.work->secrets.find(change->secret) : nullptr;
  if (password == nullptr) co_return refused(Errc::InvalidArgument, "the password is not there");
  const auto server = co_await present(job);
  if (!server) co_return BackendAnswer::failed(server.error());
  base::JsonWriter w;
  w.begin_object().key("changePassword").begin_object();
  w.member("adminPass", password->reveal()).end_object().end_object();
  const auto after = co_await job.act(server->id, w.text(), "ACTIVE");
  if (!after) co_return BackendAnswer::failed(after.error());
  co_return done(after->id);
}

Async<BackendAnswer> open_console(Job& job) {
  const auto server = co_await present(job);
  if (!server) co_return BackendAnswer::failed(server.error());
  const Reply reply =
      co_await job.nova("POST", fmt::format("/servers/{}/remote-consoles", server->id),
                        R"({"remote_console":{"protocol":"vnc","type":"novnc"}})");
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  base::JsonWriter w;
  w.begin_object().member("url", text_of(reply["remote_console"], "url"));
  w.member("type", text_of(reply["remote_console"], "type")).end_object();
  co_return done(server->id, {w.text()});
}

namespace {

std::uint64_t sum_of(base::JsonValue list, std::string_view member) {
  std::uint64_t sum = 0;
  for (base::JsonArrayIterator it(list); it; ++it) sum += number_of(it.value(), member);
  return sum;
}

}  // namespace

// Diagnostics in the form that all hypervisors share (from 2.48 on). Nova lets administrators alone
// see them, unless its policy says otherwise.
Async<BackendAnswer> read_stats(Job& job) {
  const auto server = co_await present(job);
  if (!server) co_return BackendAnswer::failed(server.error());
  const Reply reply = co_await job.nova("GET", fmt::format("/servers/{}/diagnostics", server->id));
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  VmStats out;
  out.cpu_time_us = sum_of(reply["cpu_details"], "time") / 1000;
  out.memory_used_mb = number_of(reply["memory_details"], "used");
  out.disk_read_bytes = sum_of(reply["disk_details"], "read_bytes");
  out.disk_written_bytes = sum_of(reply["disk_details"], "write_bytes");
  out.network_received_bytes = sum_of(reply["nic_details"], "rx_octets");
  out.network_sent_bytes = sum_of(reply["nic_details"], "tx_octets");
  co_return done(server->id, {out.json()});
}

Async<BackendAnswer> not_offered(Job& job) {
  co_return refused(Errc::BackendRefused,
                    fmt::format("{} is not offered by this cloud", job.call.operation));
}

}  // namespace slipway::workers::openstack
