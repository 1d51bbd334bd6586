#include "app/cli/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace slipway::app::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = base::HttpError::Kind;

constexpr int kTries = 5;
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{30000};  // the most that Retry-After is believed
constexpr seconds kPatience{60};              // how long a server may be away while we follow

bool is_secret(const std::string& name) {
  std::string lower;
  for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"password", "secret", "token", "user_data", "authorization", "cookie"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

Json masked(Json value) {
  if (value.is_object()) {
    for (auto& [key, member] : value.items())
      member = is_secret(key) && !member.is_null() ? Json("****") : masked(member);
  } else if (value.is_array()) {
    for (auto& element : value) element = masked(element);
  }
  return value;
}

std::string masked_text(const std::string& body) {
  const auto json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return fmt::format("({} bytes)", body.size());
  return masked(json).dump(-1, ' ', false, Json::error_handler_t::replace);
}

milliseconds retry_after(const base::HttpResponse& answer, milliseconds fallback) {
  const auto text = answer.header("retry-after");
  int whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (text.empty() || error != std::errc{} || whole < 0) return fallback;
  return std::min<milliseconds>(seconds(whole), kLongestPause);
}

bool says_final(const base::HttpResponse& answer) {
  const auto problem = Json::parse(answer.body, nullptr, false);
  return problem.is_object() && problem.contains("retryable") && problem["retryable"] == false;
}

// Answers after which the same request may fare better.
enum class Again { No, AfterPause, Unknown };
Again judge(const base::HttpResponse& answer) {
  if (answer.status == 429 || answer.status == 503)
    return says_final(answer) ? Again::No : Again::AfterPause;
  if (answer.status == 409 && !answer.header("retry-after").empty()) return Again::AfterPause;
  return answer.status >= 500 && !says_final(answer) ? Again::Unknown : Again::No;
}

Answer to_answer(base::HttpResponse&& http) {
  auto body = http.body.empty() ? Json() : Json::parse(http.body, nullptr, false);
  if (body.is_discarded()) body = nullptr;
  return {std::move(http), std::move(body)};
}

}  // namespace

std::string path_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  // "." and ".." would be taken for steps in the path.
  return out == "." || out == ".." ? "%2E" + out.substr(1) : out;
}

std::string query_text(const Query& query) {
  std::string out;
  for (const auto& [name, value] : query)
    out += (out.empty() ? "" : "&") + path_part(name) + "=" + path_part(value);
  return out;
}

Client::Client(Io& io, Terminal& terminal, Connection connection, bool verbose)
    : io_(io), terminal_(terminal), connection_(std::move(connection)), verbose_(verbose) {}

std::string Client::new_key() { return base::to_string(ids_.next()); }

base::HttpRequest Client::request_for(const Call& call, const std::string& key) const {
  base::HttpRequest request;
  request.method = call.method;
  request.url = connection_.server + call.path;
  if (!call.query.empty()) request.url += "?" + query_text(call.query);
  request.timeout = call.timeout;
  request.keep_going = call.keep_going;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) request.headers.push_back({name, value});
  };
  add("Accept", call.accept);
  add("User-Agent", "slipway-cli/" SLIPWAY_VERSION);
  if (!connection_.token.empty()) add("Authorization", "Bearer " + connection_.token);
  if (call.body) {
    request.body = call.body->dump();
    add("Content-Type", "application/json");
  }
  if (call.method != "GET") add("Idempotency-Key", key);
  if (call.method == "GET") add("Slipway-Min-Seq", min_seq_);
  add("If-Match", call.if_match);
  add("If-None-Match", call.if_none_match);
  add("Last-Event-ID", call.last_event_id);
  return request;
}

base::HttpResult Client::send_shown(const base::HttpRequest& request) {
  if (!verbose_) return http_.send(request);
  terminal_.always(fmt::format("> {} {}", request.method, request.url));
  for (const auto& [name, value] : request.headers)
    terminal_.always(fmt::format("> {}: {}", name, is_secret(name) ? "****" : value));
  if (!request.body.empty()) terminal_.always("> " + masked_text(request.body));
  const auto start = io_.clock.steady();
  auto result = http_.send(request);
  const auto took = std::chrono::duration_cast<milliseconds>(io_.clock.steady() - start);
  if (!result) {
    terminal_.always(fmt::format("< {} ({} ms)", result.error().message, took.count()));
    return result;
  }
  terminal_.always(fmt::format("< {} ({} ms)", result->status, took.count()));
  for (const auto& [name, value] : result->headers)
    terminal_.always(
        fmt::format("< {}: {}", printable(name), is_secret(name) ? "****" : printable(value)));
  if (!result->body.empty()) terminal_.always("< " + printable(masked_text(result->body)));
  return result;
}

void Client::remember_seq(const base::HttpResponse& answer) {
  const auto seq = answer.header("slipway-seq");
  if (!seq.empty()) min_seq_ = std::string(seq);
}

Failure Client::unreachable(const base::HttpError& error, const Call& call, const std::string& key,
                            bool unknown) const {
  Failure out;
  out.exit = Exit::Unreachable;
  out.summary = fmt::format("cannot reach {}: {}", connection_.server, error.message);
  out.next = "is it running? 'slipway serve' starts one here; --server or --context name another";
  if (error.kind == Kind::Invalid) out.exit = Exit::Usage;
  if (error.kind == Kind::TooLarge) {
    out.exit = Exit::Failed;
    out.next = "ask for less: --limit";
  }
  if (error.kind == Kind::Stopped) {
    out.exit = Exit::StillRunning;
    out.summary = "stopped";
    out.next.clear();
  }
  if (unknown && call.method != "GET") {
    out.summary += "; the command may or may not have been accepted";
    out.next = "repeat it safely with --idempotency-key " + key;
  }
  return out;
}

bool Client::pause(const Call& call, milliseconds time) {
  for (constexpr milliseconds kStep{100}; time.count() > 0; time -= kStep) {
    if (io_.interrupted || (call.keep_going && !call.keep_going())) return false;
    io_.sleep(std::min(time, kStep));
  }
  return true;
}

Outcome Client::call(const Call& call) {
  const auto key = !call.idempotency_key.empty() ? call.idempotency_key
                   : call.method == "GET"        ? std::string()
                                                 : new_key();
  const auto request = request_for(call, key);
  const auto start = io_.clock.steady();
  auto pause_for = kFirstPause;
  bool unknown = false;
  for (int tries = 1;; ++tries, pause_for = std::min(2 * pause_for, kLongestPause)) {
    auto result = send_shown(request);
    auto wait = pause_for;
    if (!result) {
      const auto& error = result.error();
      unknown |= error.may_have_been_sent();
      const bool lasting = error.kind == Kind::Stopped || error.kind == Kind::Invalid ||
                           error.kind == Kind::TooLarge || error.kind == Kind::Tls;
      const bool patient = call.patient && io_.clock.steady() - start < kPatience;
      if (patient) wait = std::min<milliseconds>(wait, seconds(2));
      if (lasting || !(patient || (unknown && tries < kTries)) || !pause(call, wait))
        return tl::unexpected(unreachable(error, call, key, unknown));
      continue;
    }
    const auto again = judge(*result);
    if (again != Again::No && tries < kTries) {
      wait = retry_after(*result, wait);
      terminal_.note(fmt::format("server answered {}, trying again in {:.1f} s ({} of {})",
                                 result->status, static_cast<double>(wait.count()) / 1000.0,
                                 tries + 1, kTries));
      if (pause(call, wait)) continue;
    }
    if (result->status >= 400) return tl::unexpected(failure_of(*result, call.noun));
    if (call.method != "GET") remember_seq(*result);
    return to_answer(std::move(*result));
  }
}

Outcome Client::stream(const Call& call, const std::function<bool(std::string_view)>& sink) {
  auto request = request_for(call, "");
  request.timeout = milliseconds(0);
  request.idle_timeout = seconds(45);  // three of the server's comment lines
  request.max_body_bytes = 16 * 1024 * 1024;
  std::string refused;  // the body of an answer that is no stream
  if (verbose_) terminal_.always(fmt::format("> {} {} (stream)", request.method, request.url));
  auto result = http_.stream(request, [&](const base::HttpResponse& head, std::string_view piece) {
    if (head.status < 300) return sink(piece);
    refused += piece;
    return refused.size() < request.max_body_bytes;
  });
  if (!result) return tl::unexpected(unreachable(result.error(), call, "", false));
  result->body = std::move(refused);
  if (result->status >= 400) return tl::unexpected(failure_of(*result, call.noun));
  return to_answer(std::move(*result));
}

}  // namespace slipway::app::cli
