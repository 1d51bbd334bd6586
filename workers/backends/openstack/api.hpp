#pragma once
// One call of a service's API: token, endpoint, microversion, limits, and what the answer means.
// With a token that the service refuses it fetches another and calls once more; nothing else is
// ever repeated here. On the loop's thread.
#include <optional>
#include <string>
#include <string_view>

#include "workers/backends/openstack/async.hpp"
#include "workers/backends/openstack/keystone.hpp"
#include "workers/backends/openstack/options.hpp"
#include "workers/backends/openstack/reply.hpp"

namespace slipway::workers::openstack {

enum class Service : std::uint8_t { Compute, Network, Image };

struct Call {
  Service service = Service::Compute;
  std::string method = "GET";
  std::string path;  // below the endpoint, with its query
  std::string body;  // JSON; wiped when sent
  base::SteadyTime deadline{};
  std::uint32_t microversion = 0;  // of Nova, "2.x"; 0: what was negotiated
};

class Api {
 public:
  Api(const Options& options, base::HttpLoop& loop)
      : options_(options), loop_(loop), keystone_(options, loop), version_turns_(loop) {}

  Async<Reply> call(Call call);
  // The microversion that calls to Nova use: the lower of ours and the cloud's highest. Asked of
  // the cloud by the first call. 0 until then.
  std::uint32_t compute_version() const { return compute_version_; }

  Keystone& keystone() { return keystone_; }
  base::HttpLoop& loop() { return loop_; }

 private:
  Async<Reply> negotiate(base::SteadyTime deadline);
  Async<Reply> call_once(const Call& call, std::shared_ptr<const Session> session);
  base::HttpRequest request(const Call& call, const Session& session) const;

  const Options& options_;
  base::HttpLoop& loop_;
  Keystone keystone_;
  Turns version_turns_;
  std::uint32_t compute_version_ = 0;
};

// "name=web&x=a%20b": percent-encoded, for the value of a query.
std::string encoded(std::string_view text);
// "Mon, 30 Nov 2026 23:08:42 GMT" (RFC 9110); nullopt for anything else.
std::optional<base::Time> parse_http_date(std::string_view text);

}  // namespace slipway::workers::openstack
