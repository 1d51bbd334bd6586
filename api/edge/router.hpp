#pragma once
// From method and path to a handler: a trie over path segments, filled before the server starts and
// read-only after. Segments are compared decoded, one by one, so "%2F" never makes a new segment.
//
//   RouteTable core = {
//     {Method::Get, "/tasks/{id}/events", Permission(Right::ViewTasks), show_events},
//     {Method::Post, "/images/{id}/file", Permission(Right::Operate), upload, plan_upload},
//   };
//   router->mount("/core/v1", core);
//   router->mount("/d/nano", nano, {.dialect = "nano", .any_last_slash = true});
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "api/edge/handler.hpp"
#include "api/edge/problem.hpp"

namespace slipway::api {

// What a caller must be allowed to do. The edge carries the number, the guard knows its meaning.
// There is no default: a route that names none does not compile.
class Permission {
 public:
  template <class E>
  requires std::is_enum_v<E> || std::is_integral_v<E>
  explicit constexpr Permission(E right) : value_(static_cast<int>(right)) {}
  constexpr int value() const { return value_; }

 private:
  int value_;
};

// The parts of a path that a template names, decoded. Views into the request; movable, not
// copyable.
class Params {
 public:
  static constexpr std::size_t kMax = 6;
  std::string_view operator[](std::string_view name) const;  // empty when there is none
  std::size_t size() const { return size_; }
  std::string_view at(std::size_t i) const { return values_[i]; }

 private:
  friend class Router;
  std::array<std::string_view, kMax> values_;
  std::vector<std::unique_ptr<char[]>> decoded_;  // of those that had escapes
  std::size_t size_ = 0;
  const std::vector<std::string>* names_ = nullptr;
};

struct Route;

// A routed request on its way to its handler. Movable: a handler that answers later keeps it.
struct Call {
  Request request;
  Params params;
  Responder reply;
  const Route* route = nullptr;
  // Who asks, put there by the guard; its type is the guard's affair.
  std::shared_ptr<const void> identity;
};

using RouteHandler = std::function<void(Call call)>;
// Says what to do with the body of a request once its head is there (Handler::on_head).
using BodyPlanner = std::function<BodyPlan(const Request& head, const Params&, const Responder&)>;

struct Route {
  Method method;  // Get serves Head too
  // "/tasks/{id}", "/docs/{rest*}" (the rest of the path, which may be empty). Segments in braces
  // match any one non-empty segment; literal ones win over them.
  std::string pattern;
  Permission permission;
  RouteHandler handler;
  BodyPlanner plan_body = nullptr;
};
using RouteTable = std::vector<Route>;

struct MountOptions {
  std::string dialect = "core";  // a label of metrics
  bool any_last_slash = false;   // "/x" and "/x/" are the same
  ErrorRenderer render_error = render_problem;
  // Instead of the usual 405 with Allow: what a known path answers to a wrong verb. `allow` is
  // "GET, HEAD, POST".
  std::function<Response(const Request&, std::string_view allow)> wrong_verb = nullptr;
  // Instead of the usual 404.
  std::function<Response(const Request&)> not_found = nullptr;
};

class Router final : public Handler {
 public:
  // Sees every routed call before its handler: checks identity and the route's permission, then
  // either answers, or passes the call on with `run`, from any thread. Without a guard the router
  // does not start: deny by default.
  using Guard = std::function<void(Call call)>;
  // The same for the head of a request whose route plans its body: true lets the body in; false
  // means that it has answered. Must not block.
  using HeadGuard = std::function<bool(const Route&, const Request& head, const Responder& reply)>;

  explicit Router(Guard guard, HeadGuard head_guard = nullptr);
  ~Router() override;
  // A guard that lets everything pass, for listeners without identity and for tests.
  static Guard open_to_all();
  // Calls the handler; what a guard does in the end. An exception becomes a 500.
  static void run(Call call);

  // Adds all routes below `prefix` ("" for the root). Ends the process on a table that contradicts
  // itself (two handlers for one place, more than Params::kMax parameters, an empty handler): that
  // is a bug, found at start-up. Not after the server has started.
  void mount(std::string prefix, RouteTable routes, MountOptions options = {});

  // Every route as mounted, for the documentation's tests: method, full pattern, permission.
  struct Entry {
    Method method;
    std::string pattern;
    int permission;
    std::string dialect;
  };
  std::vector<Entry> entries() const;

  BodyPlan on_head(const Request& head, const Responder& reply) override;
  void on_request(Request request, Responder reply) override;

 private:
  struct Mount;
  struct Place;
  struct Node;
  struct Match;

  Node& node_for(std::string_view pattern, std::vector<std::string>& names);
  Match match(const Request& request) const;
  const MountOptions& options_below(std::string_view path) const;
  void refuse(const Request& request, const Responder& reply, const Match& match) const;

  Guard guard_;
  HeadGuard head_guard_;
  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Mount>> mounts_;  // longest prefix first
  bool plans_bodies_ = false;                   // some route does
};

}  // namespace slipway::api
