#pragma once
// What nano's routes share: who asks, how a route is declared, how a question and a command are
// put. Each group of routes is a file of its own with a function that takes an Area.
#include <functional>
#include <string>
#include <vector>

#include "api/authenticator.hpp"
#include "api/dialects/nano/envelope.hpp"
#include "api/dialects/nano/fields.hpp"
#include "api/submit.hpp"

namespace slipway::api {
class ImageFiles;
}

namespace slipway::api::nano {

class Channels;
class DisplayRelay;

// One of nano's own listeners serves the paths as the specification has them; below /api/v1 some
// answers have the shape of later versions.
enum class Base : std::uint8_t { Plain, V1 };

// A user of a group, or one who signs for it.
struct Member : Identity {
  std::vector<std::string> menus;  // of all roles of the group
  base::Uuid session;              // nil for a signature
  bool signed_for = false;         // the signed core side: every menu
  bool has_menu(std::string_view menu) const;
};
// Of a call that came through Door::Nano.
const Member& member_of(const Call& call);

struct CoreKey {
  std::string id;
  base::Secret secret;
  std::string group = "demo";  // for which it signs
};

struct Options {
  base::Duration session_timeout = std::chrono::seconds(120);
  bool strict_passwords = false;  // at least 8 characters with digit, lower and upper case
  std::vector<CoreKey> core_keys{};
  ImageFiles* images = nullptr;  // the bytes of uploaded images; null: none are kept
};

class Sessions;

struct Context {
  const ApiServices& services;
  Authenticator& authenticator;
  Submitter& submitter;
  const TaskWatch& watch;
  Sessions& sessions;
  const Options& options;
  base::Time started{};  // of the service
  ImageFiles* images = nullptr;
  Channels* channels = nullptr;
  DisplayRelay* relay = nullptr;
};

using Handler = std::function<void(Context&, Call)>;

// Routes of one mount on their way into the table. The context must outlive the router.
class Area {
 public:
  Area(Context& context, Base base) : context_(context), base_(base) {}
  // "/compute_pools/{pool}"; served with and without its last slash.
  void on(Method method, std::string pattern, Right right, Handler handler);
  void get(std::string pattern, Handler handler) {
    on(Method::Get, std::move(pattern), Right::View, std::move(handler));
  }
  // A change of something that is not the caller's own: needs the menu, or the role admin.
  void change(Method method, std::string pattern, std::string menu, Handler handler);
  // Below /guests/{id} and /guest/{id} alike; `rest` is "/cores" or such.
  void on_guest(Method method, const std::string& rest, Right right, const Handler& handler);
  // For routes that need more than this (their own keeping, bodies piece by piece).
  void add(Route route) { table_.push_back(std::move(route)); }

  Context& context() const { return context_; }
  Base base() const { return base_; }
  RouteTable take() { return std::move(table_); }

 private:
  Context& context_;
  const Base base_;
  RouteTable table_;
};

inline Client client_of(const Call& call) { return {call.reply, &kErrors}; }

// On the query pool, once the read models have caught up with what was acknowledged before. `run`
// answers the client.
using Question = std::function<void(const Call&, eventstore::Reader&, const Client&)>;
void ask(Context& context, Call call, Question run);

// The same for what the directory of people knows: no query, and no thread of the pool.
using PeopleQuestion =
    std::function<void(const Call&, const eventstore::Directory&, const Client&)>;
void ask_people(Context& context, Call call, PeopleQuestion run);

// A command that the sequencer carries out by itself: answered with `data` (JSON) once it is
// durable, or with the refusal.
void command(Context& context, const Call& call, domain::CommandBody body,
             std::string data = "\"\"");
// The same where more of the request has to be set first.
void command(Context& context, CommandRequest request, std::string data = "\"\"");
base::Result<CommandRequest> begin(Context& context, const Call& call);

}  // namespace slipway::api::nano
