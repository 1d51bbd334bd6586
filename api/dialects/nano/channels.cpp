#include "api/dialects/nano/channels.hpp"

#include <array>

#include "core/base/crypto.hpp"

namespace slipway::api::nano {

std::optional<std::string> Channels::open(Channel channel) {
  std::array<std::uint8_t, 24> bytes{};
  base::random_bytes(bytes);
  std::string id = base::base64url(bytes);
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  std::erase_if(entries_, [&](const auto& item) { return item.second.until <= now; });
  if (entries_.size() >= kMax) return std::nullopt;
  entries_[id] = {std::move(channel), now + patience_};
  return id;
}

std::optional<Channel> Channels::take(std::string_view id) {
  const base::SteadyTime now = clock_.steady();
  base::Lock lock(mu_);
  const auto it = entries_.find(id);
  if (it == entries_.end()) return std::nullopt;
  Entry entry = std::move(it->second);
  entries_.erase(it);
  if (entry.until <= now) return std::nullopt;
  return std::move(entry.channel);
}

}  // namespace slipway::api::nano
