#include "api/dialects/orchestrator/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/edge/url.hpp"
#include "core/base/sha1.hpp"

namespace slipway::api::orchestrator {
namespace {

using base::Errc;
using base::JsonWriter;
using domain::VmState;

// The classic texts of a status code, a short and a long one.
struct StatusTexts {
  int status;
  std::string_view brief;
  std::string_view full;
};
constexpr std::array kTexts{
    StatusTexts{400, "Bad Request", "Bad request syntax or unsupported method"},
    StatusTexts{401, "Unauthorized", "No permission -- see authorization schemes"},
    StatusTexts{403, "Forbidden", "Request forbidden -- authorization will not help"},
    StatusTexts{404, "Not Found", "Nothing matches the given URI"},
    StatusTexts{405, "Method Not Allowed", "Specified method is invalid for this resource."},
    StatusTexts{408, "Request Timeout", "Request timed out; try again later."},
    StatusTexts{409, "Conflict", "Request conflict."},
    StatusTexts{413, "Request Entity Too Large", "Entity is too large."},
    StatusTexts{414, "Request-URI Too Long", "URI is too long."},
    StatusTexts{415, "Unsupported Media Type", "Entity body in unsupported format."},
    StatusTexts{429, "Too Many Requests",
                "The user has sent too many requests in a given amount of time"},
    StatusTexts{431, "Request Header Fields Too Large",
                "The server is unwilling to process the request because its headers are too large"},
    StatusTexts{500, "Internal Server Error", "Server got itself in trouble"},
    StatusTexts{501, "Not Implemented", "Server does not support this operation"},
    StatusTexts{502, "Bad Gateway", "Invalid responses from another server/proxy."},
    StatusTexts{503, "Service Unavailable",
                "The server cannot process the request due to a high load"},
    StatusTexts{504, "Gateway Timeout", "The gateway server did not receive a timely response"},
    StatusTexts{505, "HTTP Version Not Supported", "Cannot fulfill request."}};

// What cannot be is 400 here, whatever it is elsewhere; who may not is 403.
int status_here(const ErrorInfo& info) {
  switch (info.error.code) {
    case Errc::Unauthenticated:
    case Errc::Forbidden:
    case Errc::ReadOnly:
      return 403;
    case Errc::UnprocessableArgument:
    case Errc::NotFound:
    case Errc::IllegalTransition:
    case Errc::ResourceBusy:
    case Errc::NameTaken:
    case Errc::QuotaExceeded:
    case Errc::VersionMismatch:
    case Errc::PreconditionRequired:
    case Errc::IdempotencyKeyReused:
    case Errc::IdempotencyInProgress:
      return info.status >= 500 ? info.status : 400;
    default:
      return info.status;
  }
}

std::string_view message_of(const base::Error& error) {
  switch (error.code) {
    case Errc::Internal:
      return "Internal error";
    case Errc::Unauthenticated:
    case Errc::Forbidden:
      return "Forbidden";
    default:
      break;
  }
  // The dialect's words for what a command names and there is not.
  for (const base::FieldError& field : error.fields) {
    if (field.code == "unknown-image") return "no useful image id here";
    if (field.code == "unknown-flavor") return "no useful size id here";
  }
  return error.message;
}

// RFC 1918: who is outside cannot reach it.
bool is_private(std::uint32_t ipv4) {
  return ipv4 >> 24U == 10 || ipv4 >> 20U == 0xAC1 || ipv4 >> 16U == 0xC0A8;
}

void write_ips(JsonWriter& w, std::string_view name, std::uint32_t ipv4) {
  w.key(name).begin_array();
  if (ipv4 != 0) w.value(domain::ipv4_text(ipv4));
  w.end_array();
}

void write_extra(JsonWriter& w, const Cloud& cloud, const domain::VmSpec& spec) {
  w.key("extra").begin_object();
  if (cloud.face != nullptr) {
    w.member(cloud.face->extra[0], cloud.face->extra[1]);
  } else {
    w.member("flavor", spec.size.flavor).member("host", spec.host);
    w.member("image", spec.image.is_nil() ? "" : base::to_string(spec.image));
    w.member("key_name", spec.keypair).key("metadata");
    base::write_json(w, spec.labels);
  }
  w.end_object();
}

}  // namespace

// ---- errors

Response envelope(int status, std::string_view message) {
  const auto* texts = std::find_if(kTexts.begin(), kTexts.end(),
                                   [&](const StatusTexts& t) { return t.status == status; });
  const bool known = texts != kTexts.end();
  const std::string_view brief = known ? texts->brief : status_text(status);
  JsonWriter w;
  w.begin_object().member("message", valid_utf8(message) ? message : brief);
  w.member("status", "error").member("status_code", status);
  w.member("status_long_message", known ? texts->full : brief);
  w.member("status_short_message", brief).end_object();
  return Response(status, w.text(), kType);
}

Response render_error(const ErrorInfo& info) {
  Response response = envelope(status_here(info), message_of(info.error));
  if (info.retry_after) response.add("Retry-After", std::to_string(*info.retry_after));
  return response;
}

Response wrong_verb() { return envelope(501, "Not implemented"); }
Response no_such_cloud() { return envelope(500, "Cloud not valid or wrong path"); }
Response unknown_action() { return envelope(400, "Unrecognized action found"); }

// ---- clouds

Cloud cloud_of(const domain::Backend& backend) {
  Cloud cloud{backend.name, backend.type, {}, domain::find_face(backend.face)};
  if (cloud.face != nullptr) {
    cloud.provider = cloud.face->name;
    cloud.title = cloud.face->title;
    return cloud;
  }
  cloud.title = backend.type + " Cloud";
  char& first = cloud.title.front();
  if (first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A');
  return cloud;
}

std::string_view host_of(const domain::Backend& backend) {
  return backend.type == "simulated" ? "localhost" : "";
}

// ---- nodes

std::string node_id(const domain::VmId& id, const domain::VmSpec& spec) {
  return spec.number ? std::to_string(*spec.number) : base::to_string(id);
}

int node_state(VmState state) {
  // Of libcloud: running, rebooting, terminated, pending, unknown, stopped.
  enum : int { kRunning, kRebooting, kTerminated, kPending, kUnknown, kStopped };
  switch (state) {
    case VmState::Running:
    case VmState::Stopping:
    case VmState::Snapshotting:
    case VmState::Migrating:
      return kRunning;
    case VmState::Rebooting:
    case VmState::HardRebooting:
      return kRebooting;
    case VmState::Deleting:
    case VmState::Deleted:
      return kTerminated;
    case VmState::Queued:
    case VmState::Launching:
    case VmState::Starting:
    case VmState::Resuming:
    case VmState::Resizing:
    case VmState::Rebuilding:
      return kPending;
    case VmState::Pausing:
    case VmState::Paused:
    case VmState::Suspending:
    case VmState::Suspended:
    case VmState::Error:
      return kUnknown;
    case VmState::Stopped:
      return kStopped;
  }
  return kUnknown;
}

void write_node(JsonWriter& w, const Cloud& cloud, const domain::VmId& id,
                const domain::VmSpec& spec, VmState state) {
  const std::string shown = node_id(id, spec);
  w.begin_object();
  w.member("cloud_type", cloud.title);
  write_extra(w, cloud, spec);
  w.member("id", shown).member("name", spec.name);
  const bool inside = is_private(spec.ipv4);
  write_ips(w, "private_ips", inside ? spec.ipv4 : 0);
  w.member("provider", cloud.provider);
  write_ips(w, "public_ips", inside ? 0 : spec.ipv4);
  w.member("state", node_state(state));
  w.member("uuid", base::sha1_hex(fmt::format("{}:{}", shown, cloud.provider))).end_object();
}

void write_image(JsonWriter& w, const Cloud& cloud, std::string_view id, std::string_view name) {
  w.begin_object();
  w.member("cloud_type", cloud.title);
  w.member("id", id).member("name", name).member("provider", cloud.provider).end_object();
}

void write_size(JsonWriter& w, const Cloud& cloud, std::string_view id, std::string_view name,
                const domain::Size& size) {
  w.begin_object();
  w.member("cloud_type", cloud.title);
  w.member("cpu", size.vcpus).member("disk", size.disk_gb).member("id", id).member("name", name);
  w.member("provider", cloud.provider).member("ram", size.memory_mb).end_object();
}

void write_assignment(JsonWriter& w, const domain::Assignment& a, const eventstore::VmRow& vm) {
  std::string state(base::enum_name(vm.state));
  std::transform(state.begin(), state.end(), state.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  w.begin_object().member("cloud", vm.spec.backend).member("hostname", vm.spec.name);
  w.member("id", a.number).member("id_vm", node_id(vm.id, vm.spec));
  // An application has no other id than its name.
  w.member("recipe", a.vm_type).member("recipe_id", a.vm_type);
  w.member("status", node_state(vm.state)).member("status_desc", state);
  w.member("user", a.user).end_object();
}

std::string started_body(const Cloud& cloud, const domain::VmId& id, const domain::VmSpec& spec) {
  JsonWriter w;
  w.begin_object().key("nodes");
  write_node(w, cloud, id, spec, VmState::Running);
  return w.member("status", "ok").end_object().text();
}

std::string result_body(std::string_view result) {
  JsonWriter w;
  return w.begin_object().member("result", result).member("status", "ok").end_object().text();
}

std::string assignment_body(std::uint64_t number, std::string_view node, std::string_view result) {
  JsonWriter w;
  w.begin_object().member("id", number).member("id_vm", node).member("result", result);
  return w.member("status", "ok").end_object().text();
}

}  // namespace slipway::api::orchestrator
