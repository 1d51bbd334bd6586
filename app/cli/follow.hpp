#pragma once
// Follows tasks until they end, and submits commands that make them.
#include <optional>
#include <string>
#include <vector>

#include "app/cli/session.hpp"
#include "core/base/time.hpp"

namespace slipway::app::cli {

struct Followed {
  Exit exit = Exit::Done;
  Json tasks = Json::array();  // the last body seen of each, in the order asked for
};

// Polls with ?wait= and If-None-Match, so that a change shows at once and silence costs nothing.
// Ends when all have ended, when time is up, or at Ctrl-C: then it says how to go on, and no task
// is cancelled. `limit`: nullopt is no limit. Failures of the server are printed here.
Followed follow(Session& session, const std::vector<std::string>& ids,
                std::optional<base::Duration> limit);

// --wait's value; outer nullopt if it is no duration.
std::optional<std::optional<base::Duration>> wait_limit(const std::string& text);

// Exit code of tasks that have ended: the worst of failed, partial, cancelled, done.
Exit exit_of_tasks(const Json& tasks);

struct Submission {
  std::string method = "POST";
  std::string path = {};
  std::optional<Json> body = {};
  Query query = {};
};

// Sends each, prints the ids of their tasks (or the bodies, with -o), and follows them if --wait
// says so. One that is refused does not stop the others; the first refusal is the exit code.
Exit submit(Session& session, const std::vector<Submission>& submissions, const std::string& noun);

}  // namespace slipway::app::cli
