#include "api/dialects/nano/passwords.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api::nano {

std::string why_refused(const Options& options, std::string_view password) {
  if (password.empty()) return "password required";
  if (!options.strict_passwords) return {};
  const auto has = [&](char first, char last) {
    return std::any_of(password.begin(), password.end(),
                       [&](char c) { return c >= first && c <= last; });
  };
  if (password.size() >= 8 && has('0', '9') && has('a', 'z') && has('A', 'Z')) return {};
  return "a password has at least 8 characters, with a digit, a lower and an upper case letter";
}

void with_password(Context& context, CommandRequest request, base::Secret password,
                   std::string tenant,
                   std::function<void(CommandRequest&&, const domain::SecretRef&)> go) {
  const Client client = request.client;
  struct Job {
    CommandRequest request;
    base::Secret password;
    std::string tenant;
  };
  // Shared: std::function must be copyable; one at a time has it.
  const auto job =
      std::make_shared<Job>(Job{std::move(request), std::move(password), std::move(tenant)});
  const bool queued = context.services.queries.hash([&context, job, go = std::move(go)] {
    const base::Secret hash(base::hash_password(job->password.reveal()));
    const domain::SecretRef ref = "password-" + base::to_string(new_id());
    job->request.secrets.push_back({ref, context.services.seal(ref, job->tenant, hash)});
    go(std::move(job->request), ref);
  });
  if (!queued) client.fail(base::Errc::RateLimited, "too many passwords at once");
}

}  // namespace slipway::api::nano
