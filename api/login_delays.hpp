#pragma once
// Slows guessing down without locking anybody out (guarantees 7.4). Failures are counted per
// account and address together (5 free) and per address (100 free, loopback exempt); each further
// failure is answered later, doubling from 1 s to 5 min. While such an answer is held back, more
// attempts on the same account from the same address are refused unseen, so that guessing in
// parallel gains nothing. A right password is never delayed, and what others do from elsewhere
// never matters.
#include <map>
#include <string>
#include <string_view>

#include "core/base/mutex.hpp"
#include "core/base/time.hpp"

namespace slipway::api {

class LoginDelays {
 public:
  struct Options {
    unsigned free_per_account = 5;
    unsigned free_per_address = 100;
    base::Duration first = std::chrono::seconds(1);
    base::Duration longest = std::chrono::minutes(5);
  };
  LoginDelays() : LoginDelays(Options()) {}
  explicit LoginDelays(const Options& options) : options_(options) {}

  static constexpr base::Duration kForgetAfter = std::chrono::minutes(15);
  static constexpr std::size_t kMaxEntries = 10000;

  // ---- any thread ----
  // How long this account from this address is refused unseen; zero: go on.
  base::Duration refused_for(std::string_view account, std::string_view address,
                             base::SteadyTime now);
  // A wrong password: how long its answer is to be held back.
  base::Duration failed(std::string_view account, std::string_view address, base::SteadyTime now);
  void succeeded(std::string_view account, std::string_view address);

 private:
  struct Entry {
    unsigned failures = 0;
    base::SteadyTime last{};
    base::SteadyTime held_until{};
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  base::Duration count(Entries& entries, const std::string& key, unsigned free,
                       base::SteadyTime now) const;
  static void make_room(Entries& entries, base::SteadyTime now);

  const Options options_;
  base::Mutex mu_;
  Entries accounts_ GUARDED_BY(mu_);  // by address, a blank, account
  Entries addresses_ GUARDED_BY(mu_);
};

bool is_loopback(std::string_view address);

}  // namespace slipway::api
