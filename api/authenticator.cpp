#include "api/authenticator.hpp"

#include <limits>

#include "api/signed_text.hpp"
#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;

constexpr std::string_view kTokenPurpose = "short-token";
constexpr std::string_view kShortTokenMark = "slt.";
constexpr base::Duration kShortTokenLife = std::chrono::hours(1);

base::Error wrong() {
  return {Errc::Unauthenticated, "the identity is missing, unknown or wrong", {}};
}

// Changes with the password, and says nothing about it or where it is kept.
std::string stamp_of(const domain::User& user) {
  return base::hex(base::blake2b(user.password)).substr(0, 16);
}

// The tenant that a user acts for: his own, or, for an admin, any project that he names.
const std::string* tenant_of(const eventstore::Directory& people, const domain::User& user,
                             std::string_view project, std::string_view domain) {
  const eventstore::ProjectRow* row = people.project(project.empty() ? user.tenant : project);
  if (row == nullptr && !project.empty()) {
    const auto id = base::parse_uuid(project);
    if (id) row = people.project(*id);
  }
  if (row == nullptr) return project.empty() || project == user.tenant ? &user.tenant : nullptr;
  const domain::Project& found = row->project;
  if (!domain.empty() && domain != found.domain) return nullptr;
  if (found.name != user.tenant && user.role != domain::Role::Admin) return nullptr;
  return &found.name;
}

}  // namespace

// One password on its way through the pool. Owns copies: the request goes its own way.
struct Authenticator::Attempt {
  std::string user;
  base::Secret password;
  std::string project;
  std::string domain;
  std::string address;
  CredentialCache::Key key{};
  Done done;
};

Authenticator::Authenticator(const ApiServices& services)
    : services_(services),
      demo_(std::make_shared<const Identity>(Identity{"demo", "demo", domain::Role::Admin})),
      admin_(std::make_shared<const Identity>(Identity{"admin", "admin", domain::Role::Admin})),
      dummy_hash_(base::hash_password(base::random_password(16))),
      cache_(services.options.max_cached_credentials, services.options.credential_cache),
      delays_(services.options.login_delays) {}

base::Result<IdentityPtr> Authenticator::by_bearer(const Request& request) const {
  const auto header = request.find_header("authorization");
  if (!header) {
    if (services_.options.demo) return demo_;
    return fail(wrong());
  }
  const std::size_t blank = header->find(' ');
  if (blank == std::string_view::npos || !iequals(header->substr(0, blank), "bearer")) {
    return fail(wrong());
  }
  return by_token(header->substr(blank + 1));
}

base::Result<IdentityPtr> Authenticator::by_token(std::string_view token) const {
  if (token.starts_with(kShortTokenMark)) return by_short_token(token);
  return by_access_token(token);
}

void Authenticator::set_admin_token(const base::Secret& token) {
  std::string hash = token.empty() ? std::string() : base::hex(base::sha256(token.reveal()));
  base::Lock lock(mu_);
  admin_token_.swap(hash);
}

bool Authenticator::is_admin_token(std::string_view sha256_hex) const {
  base::Lock lock(mu_);
  return !admin_token_.empty() && base::constant_time_equal(admin_token_, sha256_hex);
}

base::Result<IdentityPtr> Authenticator::by_access_token(std::string_view token) const {
  const std::string hash = base::hex(base::sha256(token));
  if (is_admin_token(hash)) return admin_;
  const auto people = services_.people();
  const eventstore::TokenRow* row = people->token(hash);
  // The map finds by hash, so what it compares byte by byte is no secret; this comparison is for
  // good measure.
  if (row == nullptr || !base::constant_time_equal(row->token.sha256_hex, hash)) {
    return fail(wrong());
  }
  const domain::AccessToken& known = row->token;
  if (known.expires_at && *known.expires_at <= services_.clock.now()) return fail(wrong());
  return std::make_shared<const Identity>(Identity{known.tenant, known.actor, known.role});
}

std::string Authenticator::short_token(const Identity& identity) const {
  const auto people = services_.people();
  const eventstore::UserRow* row = people->user(identity.actor);
  base::JsonWriter text;
  text.begin_object().member("user", identity.actor).member("tenant", identity.tenant);
  text.member("stamp", row == nullptr ? std::string() : stamp_of(row->user));
  text.member("until", base::to_us(services_.clock.now() + kShortTokenLife)).end_object();
  return std::string(kShortTokenMark) +
         sign_text(services_.options.signing_key, kTokenPurpose, text.view());
}

base::Result<IdentityPtr> Authenticator::by_short_token(std::string_view token) const {
  const auto text = verify_text(services_.options.signing_key, kTokenPurpose,
                                token.substr(kShortTokenMark.size()));
  if (!text) return fail(wrong());
  thread_local base::JsonParser parser;
  const auto json = parser.parse_trusted(*text);
  if (!json) return fail(wrong());
  const auto field = [&](const char* name) {
    const auto value = json->find(name);
    return std::string(value ? value->string().value_or("") : "");
  };
  const auto until = json->find("until");
  if (!until || until->int64().value_or(0) <= base::to_us(services_.clock.now())) {
    return fail(wrong());
  }
  const auto people = services_.people();
  const eventstore::UserRow* row = people->user(field("user"));
  // A changed password ends its user's tokens.
  if (row == nullptr || stamp_of(row->user) != field("stamp")) return fail(wrong());
  return std::make_shared<const Identity>(
      Identity{field("tenant"), row->user.name, row->user.role});
}

void Authenticator::by_password(const Credentials& credentials, std::string_view address,
                                Done done) {
  const auto key = cache_.key_of(credentials);
  const base::SteadyTime now = services_.clock.steady();
  if (auto identity = cache_.find(key, *services_.people(), now)) {
    done(std::move(identity));
    return;
  }
  if (delays_.refused_for(credentials.user, address, now) > base::Duration(0)) {
    done(fail(Errc::RateLimited, "too many wrong passwords; wait and try again"));
    return;
  }
  // Shared: std::function must be copyable; one attempt, one owner at a time.
  auto attempt = std::make_shared<Attempt>(
      Attempt{std::string(credentials.user), base::Secret(std::string(credentials.password)),
              std::string(credentials.project), std::string(credentials.domain),
              std::string(address), key, std::move(done)});
  if (!services_.queries.hash([this, attempt] { check(*attempt); })) {
    attempt->done(fail(Errc::RateLimited, "too many logins at once"));
  }
}

// On the query pool.
void Authenticator::check(Attempt& attempt) {
  const auto people = services_.people();
  const eventstore::UserRow* row = people->user(attempt.user);
  std::string hash = dummy_hash_;
  bool known = false;
  if (row != nullptr) {
    auto secret = services_.open_secret(row->user.password, row->user.secret_tenant());
    if (secret) {
      hash.assign(secret->reveal());
      known = true;
    }
  }
  const bool right = base::verify_password(hash, attempt.password.reveal()) && known;
  const std::string* tenant =
      right ? tenant_of(*people, row->user, attempt.project, attempt.domain) : nullptr;
  if (tenant == nullptr) {
    refuse_later(attempt);
    return;
  }
  auto identity =
      std::make_shared<const Identity>(Identity{*tenant, row->user.name, row->user.role});
  delays_.succeeded(attempt.user, attempt.address);
  cache_.put(attempt.key, row->user, identity, services_.clock.steady());
  attempt.done(IdentityPtr(std::move(identity)));
}

void Authenticator::refuse_later(Attempt& attempt) {
  const base::SteadyTime now = services_.clock.steady();
  const base::Duration delay = delays_.failed(attempt.user, attempt.address, now);
  if (delay > base::Duration(0)) {
    // A wait for what never comes is a timer that holds no thread.
    constexpr auto kNever = std::numeric_limits<domain::Seq>::max();
    const auto handle = services_.waiters.wait_for_seq(
        kNever, now + delay,
        [done = attempt.done](const eventstore::WaitResult&) { done(fail(wrong())); });
    if (handle != 0) return;
  }
  attempt.done(fail(wrong()));
}

}  // namespace slipway::api
