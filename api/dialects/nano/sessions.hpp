#pragma once
// How long the open sessions have been unused. That a session was opened and closed is in the log;
// its use is kept here and nowhere else, so a restart gives each open session one full timeout.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/directory.hpp"

namespace slipway::api::nano {

class Sessions {
 public:
  using People = std::function<eventstore::DirectoryPtr()>;
  Sessions(const base::Clock& clock, People people, base::Duration timeout)
      : clock_(clock), people_(std::move(people)), timeout_(timeout), started_(clock.steady()) {}

  // ---- any thread ----
  // After SessionOpened became durable at `seq`: the directory may not know of it yet.
  void opened(const domain::Login& login, domain::Seq seq);
  // That of the token, and it begins its timeout anew; nullopt if there is none.
  std::optional<domain::Login> use(std::string_view token);
  // Of a group, open and in use.
  std::vector<domain::Login> of_group(std::string_view group);
  // Open in the log, and unused for too long: to be closed with the next command.
  std::vector<domain::LoginId> ended(std::size_t max);
  base::Duration timeout() const { return timeout_; }

 private:
  struct Entry {
    domain::Login login;
    domain::Seq opened_seq = 0;  // until the directory has reached it
    base::SteadyTime used{};
  };
  using Entries = std::map<std::string, Entry, std::less<>>;  // by hash of the token
  bool in_use(const Entries& entries, const std::string& hash, base::SteadyTime now) const;

  const base::Clock& clock_;
  const People people_;
  const base::Duration timeout_;
  const base::SteadyTime started_;
  base::Mutex mu_;
  Entries entries_ GUARDED_BY(mu_);  // at most as many as sessions may be open
};

std::string hash_of_token(std::string_view token);

}  // namespace slipway::api::nano
