#include "workers/backends/openstack/keystone.hpp"

#include <algorithm>
#include <utility>

#include "workers/backends/openstack/faults.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

// Renewed when a fifth of its life is left, at most this much.
constexpr base::Duration kMaxMargin = std::chrono::minutes(5);
// All who ask so soon after a failure get the same one: Keystone is not asked again for each.
constexpr base::Duration kFailureHolds = std::chrono::seconds(1);
constexpr base::Duration kDefaultLife = std::chrono::minutes(30);
constexpr base::JsonLimits kLimits{.depth = 64, .string_bytes = 1024 * 1024};

std::string without_end(std::string text, std::string_view end) {
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

// Versions belong to the paths of our calls, but for Nova, whose URL has one; a project behind it
// is a custom of old.
std::string endpoint_root(const std::string& type, std::string url) {
  url = without_end(std::move(url), "/");
  if (type == "network") url = without_end(std::move(url), "/v2.0");
  if (const auto at = url.find("/v2.1"); type == "compute" && at != std::string::npos) {
    url.resize(at + 5);
  }
  if (type == "image") url = without_end(std::move(url), "/v2");
  return url;
}

void write_domain(base::JsonWriter& w, const std::string& name) {
  w.key("domain").begin_object().member("name", name).end_object();
}

}  // namespace

base::SteadyTime steady_now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

struct Keystone::Renewed {
  Keystone& keystone;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { keystone.waiting_.push_back(waiting); }
  void await_resume() {}
};

Async<Access> Keystone::access() {
  const base::SteadyTime now = steady_now();
  if (session_ && now < session_->renew_at) co_return Access{session_, {}};
  if (!renewing_ && failed_ && now < failed_until_) {
    if (session_ && now < session_->expires_at) co_return Access{session_, {}};
    co_return Access{nullptr, failed_};
  }
  if (renewing_) ++counters_.shared;
  if (!renewing_) renew();
  co_await Renewed{*this};
  // The old one does until it has run out.
  if (session_ && steady_now() < session_->expires_at) co_return Access{session_, {}};
  co_return Access{nullptr, failed_};
}

void Keystone::reject(const std::shared_ptr<const Session>& refused) {
  if (session_ == refused) session_ = nullptr;
}

void Keystone::renew() {
  renewing_ = true;
  loop_.send(request(), [this](base::HttpResult&& answer) { on_answer(std::move(answer)); });
}

base::HttpRequest Keystone::request() const {
  base::JsonWriter w;
  w.begin_object().key("auth").begin_object().key("identity").begin_object();
  if (options_.credential_id.empty()) {
    w.key("methods").begin_array().value("password").end_array();
    w.key("password").begin_object().key("user").begin_object();
    w.member("name", options_.user_name).member("password", options_.password.reveal());
    write_domain(w, options_.user_domain);
    w.end_object().end_object().end_object();
    w.key("scope").begin_object().key("project").begin_object();
    w.member("name", options_.project_name);
    write_domain(w, options_.project_domain);
    w.end_object().end_object();
  } else {  // its project is its own
    w.key("methods").begin_array().value("application_credential").end_array();
    w.key("application_credential").begin_object().member("id", options_.credential_id);
    w.member("secret", options_.credential_secret.reveal()).end_object().end_object();
  }
  w.end_object().end_object();
  std::string root = without_end(options_.auth_url, "/");
  if (!root.ends_with("/v3")) root += "/v3";
  base::HttpRequest request;
  request.method = "POST";
  request.url = root + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = w.text();
  request.ca_file = options_.ca_file;
  request.verify_tls = options_.verify_tls;
  request.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options_.auth_timeout);
  return request;
}

void Keystone::on_answer(base::HttpResult&& answer) {
  failed_ = answer ? take(*answer) : fault_of(answer.error(), "keystone");
  if (failed_) {
    ++counters_.failures;
    failed_->without_effect = true;  // the call that wanted the token was not made
    failed_until_ = steady_now() + kFailureHolds;
  } else {
    ++counters_.tokens;
  }
  renewing_ = false;
  for (const auto waiting : std::exchange(waiting_, {})) {
    loop_.after({}, [waiting] { waiting.resume(); });
  }
}

std::optional<BackendError> Keystone::take(const base::HttpResponse& response) {
  base::JsonParser parser(kLimits);
  const auto json = parser.parse(response.body);
  if (response.status >= 400) {
    BackendError error = fault_of(response, json ? *json : base::JsonValue());
    if (response.status == 401) error.detail = "keystone refuses the credentials";
    error.retryable = true;  // an operator can mend it, and Keystone's faults pass
    if (!error.throttled) error.code = Errc::BackendUnavailable;
    return error;
  }
  const std::string_view token = response.header("X-Subject-Token");
  const base::JsonValue about = json ? member_of(*json, "token") : base::JsonValue();
  if (token.empty() || !about.is_object()) {
    return BackendError{.detail = "keystone gave no token", .retryable = true};
  }
  auto session = std::make_shared<Session>();
  session->token = base::Secret(token);
  session->endpoints = endpoints_of(member_of(about, "catalog"));
  session->project_id = text_of(member_of(about, "project"), "id");
  const auto issued = base::parse_rfc3339(text_of(about, "issued_at"));
  const auto expires = base::parse_rfc3339(text_of(about, "expires_at"));
  const base::Duration life =
      issued && expires ? std::max(*expires - *issued, base::Duration{}) : kDefaultLife;
  session->expires_at = steady_now() + life;
  session->renew_at = session->expires_at - std::min(life / 5, kMaxMargin);
  session_ = std::move(session);
  return std::nullopt;
}

std::map<std::string, std::string> Keystone::endpoints_of(base::JsonValue catalog) const {
  std::map<std::string, std::string> out;
  for (base::JsonArrayIterator service(catalog); service; ++service) {
    const std::string type(text_of(service.value(), "type"));
    for (base::JsonArrayIterator it(member_of(service.value(), "endpoints")); it; ++it) {
      if (text_of(it.value(), "interface") != options_.interface) continue;
      const std::string_view region = text_of(it.value(), "region");
      if (!options_.region.empty() && region != options_.region) continue;
      out.emplace(type, endpoint_root(type, std::string(text_of(it.value(), "url"))));
    }
  }
  for (const auto& [type, url] : options_.endpoints) out[type] = endpoint_root(type, url);
  return out;
}

}  // namespace slipway::workers::openstack
