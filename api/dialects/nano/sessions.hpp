#pragma once
// Who is logged in. A session ends when nobody has used it for the timeout; its use is kept here
// and nowhere else, so a restart gives each open session one full timeout.
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"
#include "core/base/uuid.hpp"

namespace slipway::api::nano {

// What a session was opened with. The token itself is known to its client alone.
struct Login {
  base::Uuid id;
  std::string user;
  std::string group;
  std::string sha256_hex;  // of the token
};

class Sessions {
 public:
  static constexpr std::size_t kMax = 10000;
  Sessions(const base::Clock& clock, base::Duration timeout) : clock_(clock), timeout_(timeout) {}

  // ---- any thread ----
  // False: too many are open.
  bool add(Login login);
  // That of the token, and it begins its timeout anew; nullopt if there is none.
  std::optional<Login> use(std::string_view token);
  // The open ones of a group.
  std::vector<Login> of_group(std::string_view group);
  base::Duration timeout() const { return timeout_; }

 private:
  struct Entry {
    Login login;
    base::SteadyTime used{};
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  void drop_ended(Entries& entries, base::SteadyTime now) const;

  const base::Clock& clock_;
  const base::Duration timeout_;
  base::Mutex mu_;
  Entries by_hash_ GUARDED_BY(mu_);
};

// 256 random bits for a client to keep, and what is kept of them.
std::string hash_of_token(std::string_view token);

}  // namespace slipway::api::nano
