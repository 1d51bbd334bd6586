#include "api/dialects/nano/sessions.hpp"

#include "core/base/crypto.hpp"

namespace slipway::api::nano {

std::string hash_of_token(std::string_view token) { return base::hex(base::sha256(token)); }

void Sessions::drop_ended(Entries& entries, base::SteadyTime now) const {
  std::erase_if(entries, [&](const auto& e) { return e.second.used + timeout_ <= now; });
}

bool Sessions::add(Login login) {
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  if (by_hash_.size() >= kMax) drop_ended(by_hash_, now);
  if (by_hash_.size() >= kMax) return false;
  const std::string key = login.sha256_hex;
  by_hash_[key] = {std::move(login), now};
  return true;
}

std::optional<Login> Sessions::use(std::string_view token) {
  const std::string hash = hash_of_token(token);
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  const auto it = by_hash_.find(hash);
  if (it == by_hash_.end()) return std::nullopt;
  if (it->second.used + timeout_ <= now) {
    by_hash_.erase(it);
    return std::nullopt;
  }
  it->second.used = now;
  return it->second.login;
}

std::vector<Login> Sessions::of_group(std::string_view group) {
  const base::SteadyTime now = clock_.steady();
  std::vector<Login> found;
  base::Lock lock(mu_);
  drop_ended(by_hash_, now);
  for (const auto& [hash, entry] : by_hash_) {
    if (entry.login.group == group) found.push_back(entry.login);
  }
  return found;
}

}  // namespace slipway::api::nano
