#include "api/edge/router.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <tuple>
#include <utility>

#include "api/edge/url.hpp"
#include "core/base/check.hpp"

namespace slipway::api {
namespace {

// Cuts the first segment off: "/tasks/7" gives "tasks", leaving "/7".
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool is_param(std::string_view segment) { return segment.starts_with('{'); }
bool is_rest(std::string_view segment) { return segment.ends_with("*}"); }

std::string param_name(std::string_view segment) {
  segment = segment.substr(1, segment.size() - 2);
  if (segment.ends_with('*')) segment.remove_suffix(1);
  return std::string(segment);
}

}  // namespace

// One mounted table: how what lies below its prefix is refused.
struct Router::Mount {
  std::string prefix;
  MountOptions options;
};

// Where one method and template lead.
struct Router::Place {
  Route route;  // its pattern is the full one
  std::vector<std::string> names;
  const Mount* mount;
};

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> any;   // "{name}"
  std::unique_ptr<Node> rest;  // "{name*}", always a leaf
  std::array<std::unique_ptr<Place>, kMethods> places;

  const Place* place(Method method) const {
    if (method == Method::Other) return nullptr;  // no route can ask for it
    const Place* own = places[static_cast<std::size_t>(method)].get();
    if (own != nullptr || method != Method::Head) return own;
    return places[static_cast<std::size_t>(Method::Get)].get();
  }
};

// The way through the trie. Depth is bounded by the table, not by the path; segments are told apart
// before they are decoded, so an escaped '/' stays inside its own.
struct Router::Match {
  Method method;
  const Place* place = nullptr;
  Params params{};
  std::array<bool, kMethods> allowed{};  // at this path, by any method; only when there is no place
  bool without_last_slash = false;       // the path had one, which was cut off

  bool serves(const Place& there) const {
    return !without_last_slash || there.mount->options.any_last_slash;
  }

  bool take(const Node& node) {
    const Place* there = node.place(method);
    if (there != nullptr && serves(*there)) {
      place = there;
      return true;
    }
    for (std::size_t i = 0; i < kMethods; ++i) {
      if (node.places[i] && serves(*node.places[i])) allowed[i] = true;
    }
    return false;
  }

  bool walk(const Node& node, std::string_view path) {
    if (path.empty())
      return take(node) || (node.rest && give({}, [&] { return take(*node.rest); }));
    std::string_view after = path;
    const std::string_view segment = decode(take_segment(after));
    const auto literal = node.literals.find(segment);
    if (literal != node.literals.end() && walk(*literal->second, after)) return true;
    if (node.any && !segment.empty() && give(segment, [&] { return walk(*node.any, after); })) {
      return true;
    }
    return node.rest && give(decode(path.substr(1)), [&] { return take(*node.rest); });
  }

  template <class Then>
  bool give(std::string_view value, Then then) {
    params.values_[params.size_++] = value;
    if (then()) return true;
    --params.size_;
    return false;
  }

  std::string_view decode(std::string_view text) {
    if (text.find('%') == std::string_view::npos) return text;
    params.decoded_.push_back(std::make_unique_for_overwrite<char[]>(text.size()));
    char* room = params.decoded_.back().get();
    return percent_decode(text, false, room).value_or(text);
  }

  // "GET, HEAD, POST"; empty when the path is not known.
  std::string allow() const {
    std::string text;
    const auto add = [&](Method one) {
      text.append(text.empty() ? "" : ", ").append(method_name(one));
    };
    for (std::size_t i = 0; i < kMethods; ++i) {
      const auto one = static_cast<Method>(i);
      const bool by_get = one == Method::Head && allowed[static_cast<std::size_t>(Method::Get)];
      if (allowed[i] || by_get) add(one);
    }
    return text;
  }
};

std::string_view Params::operator[](std::string_view name) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if ((*names_)[i] == name) return values_[i];
  }
  return {};
}

Router::Router(Guard guard, HeadGuard head_guard)
    : guard_(std::move(guard)),
      head_guard_(std::move(head_guard)),
      root_(std::make_unique<Node>()) {
  CHECK(guard_ != nullptr, "a router without a guard would let everything pass");
}
Router::~Router() = default;

Router::Guard Router::open_to_all() { return run; }

void Router::run(Call call) {
  const Responder reply = call.reply;
  try {
    call.route->handler(std::move(call));
  } catch (const std::exception& e) {
    reply.fail_internal(e.what());
  }
}

// --- the table
// ------------------------------------------------------------------------------------

Router::Node& Router::node_for(std::string_view pattern, std::vector<std::string>& names) {
  Node* node = root_.get();
  while (!pattern.empty()) {
    CHECK(pattern.front() == '/', "a pattern starts with '/': {}", pattern);
    const std::string_view segment = take_segment(pattern);
    std::unique_ptr<Node>* next = nullptr;
    if (is_param(segment)) {
      CHECK(segment.ends_with('}') && (!is_rest(segment) || pattern.empty()), "bad {}", segment);
      names.push_back(param_name(segment));
      next = is_rest(segment) ? &node->rest : &node->any;
    } else {
      next = &node->literals[std::string(segment)];
    }
    if (*next == nullptr) *next = std::make_unique<Node>();
    node = next->get();
  }
  return *node;
}

void Router::mount(std::string prefix, RouteTable routes, MountOptions options) {
  mounts_.push_back(std::make_unique<Mount>(Mount{std::move(prefix), std::move(options)}));
  const Mount& mount = *mounts_.back();
  for (Route& route : routes) {
    if (mount.options.any_last_slash && route.pattern.ends_with('/')) route.pattern.pop_back();
    route.pattern = mount.prefix + route.pattern;
    plans_bodies_ = plans_bodies_ || route.plan_body != nullptr;
    std::vector<std::string> names;
    Node& node = node_for(route.pattern, names);
    std::unique_ptr<Place>& place = node.places[static_cast<std::size_t>(route.method)];
    CHECK(route.method != Method::Other && route.handler, "{} has no handler", route.pattern);
    CHECK(place == nullptr, "{} {} is there twice", method_name(route.method), route.pattern);
    CHECK(names.size() <= Params::kMax, "{} has too many parameters", route.pattern);
    place = std::make_unique<Place>(Place{std::move(route), std::move(names), &mount});
  }
  // The longest prefix answers for what no route matches.
  std::stable_sort(mounts_.begin(), mounts_.end(), [](const auto& a, const auto& b) {
    return a->prefix.size() > b->prefix.size();
  });
}

std::vector<Router::Entry> Router::entries() const {
  std::vector<Entry> found;
  std::vector<const Node*> todo = {root_.get()};
  while (!todo.empty()) {
    const Node& node = *todo.back();
    todo.pop_back();
    for (const auto& place : node.places) {
      if (!place) continue;
      const Route& route = place->route;
      found.push_back(
          {route.method, route.pattern, route.permission.value(), place->mount->options.dialect});
    }
    for (const auto& [segment, next] : node.literals) todo.push_back(next.get());
    if (node.any) todo.push_back(node.any.get());
    if (node.rest) todo.push_back(node.rest.get());
  }
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.pattern, a.method) < std::tie(b.pattern, b.method);
  });
  return found;
}

// --- requests
// -------------------------------------------------------------------------------------

Router::Match Router::match(const Request& request) const {
  Match match{.method = request.method()};
  std::string_view path = request.raw_path();
  if (!path.starts_with('/')) return match;  // "OPTIONS *"
  if (!match.walk(*root_, path) && path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
    match.without_last_slash = true;
    match.walk(*root_, path);
  }
  if (match.place != nullptr) match.params.names_ = &match.place->names;
  return match;
}

BodyPlan Router::on_head(const Request& head, const Responder& reply) {
  if (!plans_bodies_) return {};
  const Match found = match(head);
  if (found.place == nullptr || !found.place->route.plan_body) return {};
  const Route& route = found.place->route;
  reply.set_route(found.place->mount->options.dialect, route.pattern);
  if (head_guard_ && !head_guard_(route, head, reply)) return {};
  return route.plan_body(head, found.params, reply);
}

void Router::on_request(Request request, Responder reply) {
  Match found = match(request);
  if (found.place == nullptr) {
    refuse(request, reply, found);
    return;
  }
  const Route& route = found.place->route;
  reply.set_route(found.place->mount->options.dialect, route.pattern);
  guard_(Call{std::move(request), std::move(found.params), std::move(reply), &route, nullptr});
}

const MountOptions& Router::options_below(std::string_view path) const {
  static const MountOptions kNone{.dialect = ""};
  for (const auto& mount : mounts_) {
    const std::size_t size = mount->prefix.size();
    if (path.starts_with(mount->prefix) && (path.size() == size || path[size] == '/')) {
      return mount->options;
    }
  }
  return kNone;
}

void Router::refuse(const Request& request, const Responder& reply, const Match& found) const {
  const MountOptions& options = options_below(request.raw_path());
  reply.set_route(options.dialect, "other");
  const std::string allow = found.allow();
  const bool known = !allow.empty();
  if (known && options.wrong_verb) {
    reply.send(options.wrong_verb(request, allow));
    return;
  }
  if (!known && options.not_found) {
    reply.send(options.not_found(request));
    return;
  }
  const base::Error error{known ? base::Errc::MethodNotAllowed : base::Errc::NotFound,
                          known ? "allowed here: " + allow : "no such path",
                          {}};
  const std::string_view trace = request.trace().trace_id();
  Response response = options.render_error(error_info(error, request.request_id(), trace));
  if (known) response.add("Allow", allow);
  reply.send(std::move(response));
}

}  // namespace slipway::api
