#include "api/dialects/nano/sessions.hpp"

#include "core/base/crypto.hpp"

namespace slipway::api::nano {

std::string hash_of_token(std::string_view token) { return base::hex(base::sha256(token)); }

// One without an entry was not used since the start.
bool Sessions::in_use(const Entries& entries, const std::string& hash, base::SteadyTime now) const {
  const auto it = entries.find(hash);
  return (it == entries.end() ? started_ : it->second.used) + timeout_ > now;
}

void Sessions::opened(const domain::Login& login, domain::Seq seq) {
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  entries_[login.sha256_hex] = {login, seq, now};
}

std::optional<domain::Login> Sessions::use(std::string_view token) {
  const std::string hash = hash_of_token(token);
  const auto people = people_();
  const eventstore::LoginRow* row = people->login(hash);
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  const auto it = entries_.find(hash);
  const bool fresh = it != entries_.end() && people->seq < it->second.opened_seq;
  if ((row == nullptr && !fresh) || !in_use(entries_, hash, now)) {
    if (it != entries_.end()) entries_.erase(it);
    return std::nullopt;
  }
  Entry& entry = entries_[hash];
  if (row != nullptr) entry.login = row->login;
  entry.used = now;
  return entry.login;
}

std::vector<domain::Login> Sessions::of_group(std::string_view group) {
  const auto people = people_();
  const base::SteadyTime now = clock_.steady();
  std::vector<domain::Login> found;
  base::Lock lock(mu_);
  for (const auto& [hash, row] : people->logins) {
    if (row.login.group == group && in_use(entries_, hash, now)) found.push_back(row.login);
  }
  return found;
}

std::vector<domain::LoginId> Sessions::ended(std::size_t max) {
  const auto people = people_();
  const base::SteadyTime now = clock_.steady();
  std::vector<domain::LoginId> found;
  base::Lock lock(mu_);
  for (const auto& [hash, row] : people->logins) {
    if (found.size() == max) break;
    if (in_use(entries_, hash, now)) continue;
    found.push_back(row.login.id);
  }
  // What is in the log no more needs no entry.
  std::erase_if(entries_, [&](const auto& e) {
    return people->seq >= e.second.opened_seq && people->login(e.first) == nullptr;
  });
  return found;
}

}  // namespace slipway::api::nano
