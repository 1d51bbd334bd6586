#include "api/login_delays.hpp"

#include <algorithm>

namespace slipway::api {
namespace {

std::string account_key(std::string_view account, std::string_view address) {
  std::string key(address);
  key.push_back(' ');
  key.append(account.substr(0, 255));
  return key;
}

}  // namespace

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

base::Duration LoginDelays::refused_for(std::string_view account, std::string_view address,
                                        base::SteadyTime now) {
  base::Lock lock(mu_);
  const auto found = accounts_.find(account_key(account, address));
  if (found == accounts_.end()) return base::Duration(0);
  return std::max(base::Duration(0), found->second.held_until - now);
}

base::Duration LoginDelays::failed(std::string_view account, std::string_view address,
                                   base::SteadyTime now) {
  base::Lock lock(mu_);
  base::Duration delay =
      count(accounts_, account_key(account, address), options_.free_per_account, now);
  if (!is_loopback(address)) {
    delay =
        std::max(delay, count(addresses_, std::string(address), options_.free_per_address, now));
  }
  return delay;
}

void LoginDelays::succeeded(std::string_view account, std::string_view address) {
  base::Lock lock(mu_);
  accounts_.erase(account_key(account, address));
}

base::Duration LoginDelays::count(Entries& entries, const std::string& key, unsigned free,
                                  base::SteadyTime now) const {
  if (entries.size() >= kMaxEntries) make_room(entries, now);
  Entry& entry = entries[key];
  if (now - entry.last > kForgetAfter) entry.failures = 0;
  entry.last = now;
  if (++entry.failures <= free) return base::Duration(0);
  const unsigned doublings = std::min(entry.failures - free - 1, 20U);
  const base::Duration delay = std::min(options_.longest, options_.first * (1 << doublings));
  entry.held_until = now + delay;
  return delay;
}

void LoginDelays::make_room(Entries& entries, base::SteadyTime now) {
  std::erase_if(entries, [&](const auto& e) { return now - e.second.last > kForgetAfter; });
  if (entries.size() < kMaxEntries) return;
  const auto oldest =
      std::min_element(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
  entries.erase(oldest);
}

}  // namespace slipway::api
