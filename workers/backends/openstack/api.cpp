#include "workers/backends/openstack/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/crypto.hpp"
#include "workers/backends/openstack/faults.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr base::JsonLimits kLimits{.depth = 64, .string_bytes = 1024 * 1024};
constexpr std::array<std::string_view, 3> kTypes{"compute", "network", "image"};
constexpr std::array<std::string_view, 3> kNames{"nova", "neutron", "glance"};

std::string_view name_of(Service service) { return kNames[static_cast<std::size_t>(service)]; }
std::string_view type_of(Service service) { return kTypes[static_cast<std::size_t>(service)]; }

bool is_json(const base::HttpResponse& response) {
  return response.header("Content-Type").find("json") != std::string_view::npos;
}

Reply reply_of(base::HttpResult&& answer, std::string_view who) {
  Reply reply;
  if (!answer) {
    reply.error = fault_of(answer.error(), who);
    return reply;
  }
  reply.status = answer->status;
  reply.request_id = request_id(*answer);
  reply.location = answer->header("Location");
  reply.date = parse_http_date(answer->header("Date"));
  bool garbled = false;
  if (!answer->body.empty() && is_json(*answer)) {
    reply.parser = std::make_unique<base::JsonParser>(kLimits);
    const auto json = reply.parser->parse(answer->body);
    if (json) reply.json = *json;
    garbled = !json;
  }
  if (reply.status >= 400) {
    reply.error = fault_of(*answer, reply.json);
  } else if (garbled) {
    reply.error =
        BackendError{.code = Errc::BackendUnavailable,
                     .detail = std::string(who) + ": the answer is not JSON as it should be",
                     .retryable = true,
                     .backend_request_id = reply.request_id};
  }
  return reply;
}

Reply failed(BackendError error) {
  Reply reply;
  reply.error = std::move(error);
  return reply;
}

// "2.93" -> 93; 0 for what is none.
std::uint32_t minor_of(std::string_view version) {
  if (!version.starts_with("2.")) return 0;
  std::uint32_t minor = 0;
  std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return minor;
}

// A body may hold a password.
struct Wiped {
  std::string& text;
  ~Wiped() { base::wipe(text); }
};

}  // namespace

Async<Reply> Api::call(Call call) {
  const Wiped wiped{call.body};
  if (call.service == Service::Compute && compute_version_ == 0) {
    Reply asked = co_await negotiate(call.deadline);
    if (!asked.ok()) co_return asked;
  }
  const Access access = co_await keystone_.access();
  if (access.error) co_return failed(*access.error);
  Reply first = co_await call_once(call, access.session);
  if (!first.is(401)) co_return first;
  keystone_.reject(access.session);
  const Access again = co_await keystone_.access();
  if (again.error) co_return failed(*again.error);
  co_return co_await call_once(call, again.session);
}

// Nova tells its versions at the root of the endpoint, to anyone.
Async<Reply> Api::negotiate(base::SteadyTime deadline) {
  const Turns::Turn turn = co_await version_turns_.take();
  if (compute_version_ != 0) co_return Reply{};  // whoever had the turn before has asked
  const Access access = co_await keystone_.access();
  if (access.error) co_return failed(*access.error);
  Call root{.path = "/", .deadline = deadline};
  Reply reply = co_await call_once(root, access.session);
  if (reply.is(401)) {
    keystone_.reject(access.session);
    reply.error->retryable = true;
  }
  if (!reply.ok()) {
    reply.error->without_effect = true;  // what was wanted was not called
    co_return reply;
  }
  const std::uint32_t highest = minor_of(text_of(reply["version"], "version"));
  compute_version_ = std::clamp(highest, 1U, std::max(options_.compute_microversion, 1U));
  co_return reply;
}

namespace {

struct Sent {
  base::HttpLoop& loop;
  base::HttpRequest request;
  base::HttpResult answer = tl::unexpected(base::HttpError{});
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    loop.send(std::move(request), [this, waiting](base::HttpResult&& result) {
      answer = std::move(result);
      waiting.resume();
    });
  }
  base::HttpResult await_resume() { return std::move(answer); }
};

}  // namespace

Async<Reply> Api::call_once(const Call& call, std::shared_ptr<const Session> session) {
  if (!session->endpoints.contains(std::string(type_of(call.service)))) {
    co_return failed(refusal(
        Errc::BackendUnavailable,
        fmt::format("the catalog has no {} service in this region", type_of(call.service))));
  }
  if (call.deadline <= steady_now()) {
    co_return failed(
        {.detail = "no time left for the call", .retryable = true, .without_effect = true});
  }
  Sent sent{loop_, request(call, *session)};
  base::HttpResult answer = co_await sent;
  co_return reply_of(std::move(answer), name_of(call.service));
}

base::HttpRequest Api::request(const Call& call, const Session& session) const {
  base::HttpRequest out;
  out.method = call.method;
  out.url = session.endpoints.at(std::string(type_of(call.service))) + call.path;
  out.headers = {{"X-Auth-Token", std::string(session.token.reveal())},
                 {"Accept", "application/json"}};
  if (!call.body.empty()) out.headers.push_back({"Content-Type", "application/json"});
  if (call.service == Service::Compute && compute_version_ != 0) {
    const std::uint32_t version =
        call.microversion == 0 ? compute_version_ : std::min(call.microversion, compute_version_);
    out.headers.push_back({"OpenStack-API-Version", fmt::format("compute 2.{}", version)});
  }
  out.body = call.body;
  out.send_once = call.method == "POST";
  out.ca_file = options_.ca_file;
  out.verify_tls = options_.verify_tls;
  const base::Duration left = std::min(call.deadline - steady_now(), options_.request_timeout);
  out.timeout =
      std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
  return out;
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::optional<base::Time> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  return base::parse_rfc3339(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month / 3 + 1,
                                         text.substr(5, 2), text.substr(17, 8)));
}

}  // namespace slipway::workers::openstack
