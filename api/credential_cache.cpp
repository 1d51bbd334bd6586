#include "api/credential_cache.hpp"

#include <cstring>

namespace slipway::api {
namespace {

// Length first, so that no two credentials give the same bytes.
void append_part(std::string& out, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(part);
}

}  // namespace

CredentialCache::CredentialCache(std::size_t capacity, base::Duration lifetime)
    : capacity_(capacity), lifetime_(lifetime), process_key_(base::random_key()) {}

std::size_t CredentialCache::KeyHash::operator()(const Key& key) const {
  std::size_t value = 0;
  std::memcpy(&value, key.data(), sizeof value);
  return value;
}

CredentialCache::Key CredentialCache::key_of(const Credentials& credentials) const {
  thread_local std::string bytes;
  bytes.clear();
  append_part(bytes, credentials.user);
  append_part(bytes, credentials.password);
  append_part(bytes, credentials.project);
  append_part(bytes, credentials.domain);
  const Key key = base::blake2b(
      bytes, {reinterpret_cast<const char*>(process_key_.data()), process_key_.size()});
  const std::size_t size = bytes.size();
  base::wipe(bytes);
  bytes.reserve(size);
  return key;
}

IdentityPtr CredentialCache::find(const Key& key, const eventstore::Directory& people,
                                  base::SteadyTime now) {
  base::Lock lock(mu_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const Entry& entry = *found->second;
  const eventstore::UserRow* user = people.user(entry.user.name);
  if (now < entry.expires && user != nullptr && user->user == entry.user) return entry.identity;
  entries_.erase(found->second);
  index_.erase(found);
  return nullptr;
}

void CredentialCache::put(const Key& key, const domain::User& user, IdentityPtr identity,
                          base::SteadyTime now) {
  base::Lock lock(mu_);
  if (const auto found = index_.find(key); found != index_.end()) {
    entries_.erase(found->second);
    index_.erase(found);
  }
  if (entries_.size() >= capacity_ && !entries_.empty()) {
    index_.erase(entries_.front().key);
    entries_.pop_front();
  }
  entries_.push_back({key, user, std::move(identity), now + lifetime_});
  index_.emplace(key, std::prev(entries_.end()));
}

}  // namespace slipway::api
