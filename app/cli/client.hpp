#pragma once
// Talks to the server's core API, and takes care of what every call needs: identity, ids, safe
// repeats, reading one's own writes.
//
// - A call whose outcome is unknown (no whole answer, or 5xx) is repeated with the same
//   Idempotency-Key, a bounded number of times; so is one answered 429 or 503, after Retry-After.
// - A server that cannot be reached at all is an answer to a person who waits for one, so it is
//   not tried again, unless the call is `patient`: who follows a task outlives a restart.
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "app/cli/contexts.hpp"
#include "app/cli/failure.hpp"
#include "app/cli/io.hpp"
#include "app/cli/terminal.hpp"
#include "core/base/http_client.hpp"
#include "core/base/uuid.hpp"

namespace slipway::app::cli {

using Query = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string path;  // "/core/v1/tasks"; parts from outside go through path_part()
  Query query = {};
  std::optional<Json> body = {};
  std::string accept = "application/json";
  std::string idempotency_key = {};  // made if empty and the method is not GET
  std::string if_match = {};
  std::string if_none_match = {};
  std::chrono::milliseconds timeout{30000};
  bool patient = false;
  std::string noun = {};                  // for what to try next: "vm"
  std::function<bool()> keep_going = {};  // false: give up
  std::string last_event_id = {};         // streams
};

struct Answer {
  base::HttpResponse http;
  Json body;  // null if there was none or it was no JSON
};
using Outcome = tl::expected<Answer, Failure>;

class Client {
 public:
  Client(Io& io, Terminal& terminal, Connection connection, bool verbose);

  // 200 to 399 is an answer (304 too); everything else is a Failure.
  Outcome call(const Call& call);
  // Streams the body; no repeats. The sink gets only pieces of a 2xx answer.
  Outcome stream(const Call& call, const std::function<bool(std::string_view)>& sink);

  const std::string& server() const { return connection_.server; }
  std::string new_key();

 private:
  base::HttpRequest request_for(const Call& call, const std::string& key) const;
  base::HttpResult send_shown(const base::HttpRequest& request);
  void remember_seq(const base::HttpResponse& answer);
  Failure unreachable(const base::HttpError& error, const Call& call, const std::string& key,
                      bool unknown) const;
  bool pause(const Call& call, std::chrono::milliseconds time);

  Io& io_;
  Terminal& terminal_;
  Connection connection_;
  bool verbose_;
  base::HttpClient http_;
  base::SystemIdSource ids_;
  std::string min_seq_;  // of the last command that was accepted
};

// Percent-encodes all but unreserved characters.
std::string path_part(std::string_view text);
// "a=1&b=2", encoded.
std::string query_text(const Query& query);

}  // namespace slipway::app::cli
