#include "api/dialects/perspective/mail.hpp"

#include <fmt/format.h>

#include "api/dialects/perspective/wire.hpp"

namespace slipway::api::perspective {
namespace {

using base::Lock;
using domain::TaskState;

constexpr std::size_t kFailureBytes = 2000;  // of all reasons in one letter

const domain::TaskError* error_of(const domain::EventBody& body) {
  if (const auto* e = std::get_if<domain::TaskFailed>(&body)) return &e->error;
  if (const auto* e = std::get_if<domain::TaskTimedOut>(&body)) return &e->error;
  if (const auto* e = std::get_if<domain::TaskDead>(&body)) return &e->error;
  return nullptr;
}

// Why the item ended so: it stands in the same record.
std::string reason(const domain::RecordBody& record, const domain::BatchItemFailed& item) {
  for (const domain::Event& event : record.events) {
    if (event.stream.id != item.item) continue;
    const domain::TaskError* error = error_of(event.body);
    if (error != nullptr) return error->detail.empty() ? error->code : error->detail;
  }
  return std::string(base::enum_name(item.state));
}

}  // namespace

// Nothing is sent with the lock held.
void Mail::on_committed(const eventstore::CommittedBatchPtr& batch) {
  std::vector<Letter> letters;
  {
    Lock lock(mu_);
    for (const domain::RecordBody& record : batch->records) look(record, letters);
  }
  for (Letter& letter : letters) deliver(std::move(letter));
}

void Mail::look(const domain::RecordBody& record, std::vector<Letter>& letters) {
  for (const domain::Event& event : record.events) {
    if (event.stream.kind != domain::StreamKind::Batch) continue;
    const domain::TaskId id(event.stream.id);
    if (const auto* opened = std::get_if<domain::BatchOpened>(&event.body)) {
      if (record.envelope.dialect != domain::Dialect::Perspective) continue;
      calls_[id] = {record.envelope.tenant, opened->kind, opened->total, 0, {}};
      if (calls_.size() > options_.max_calls) {
        calls_.erase(calls_.begin());
        ++dropped_;
      }
      continue;
    }
    const auto call = calls_.find(id);
    if (call == calls_.end()) continue;
    if (std::holds_alternative<domain::BatchItemSucceeded>(event.body)) {
      ++call->second.succeeded;
    } else if (const auto* failed = std::get_if<domain::BatchItemFailed>(&event.body)) {
      std::string& all = call->second.failures;
      if (all.size() < kFailureBytes) {
        all += fmt::format("; item {}: {}", failed->index, reason(record, *failed));
      }
    } else if (const auto* closed = std::get_if<domain::BatchClosed>(&event.body)) {
      letters.push_back(close_call(record, call, closed->state));
    }
  }
}

Mail::Letter Mail::close_call(const domain::RecordBody& record, Calls::iterator it,
                              domain::TaskState state) {
  const Call& call = it->second;
  base::JsonWriter w;
  w.begin_object().member("id", base::to_string(it->first));
  w.member("type", state == TaskState::Succeeded ? "info" : "error");
  w.member("title", base::enum_name(call.kind));
  w.member("text", fmt::format("{} of {} done{}", call.succeeded, call.total, call.failures));
  w.member("timestamp", time(record.envelope.time)).member("state", base::enum_name(state));
  Letter letter{call.tenant, w.end_object().text()};
  calls_.erase(it);
  return letter;
}

void Mail::deliver(Letter letter) {
  for (;;) {
    std::vector<std::shared_ptr<WebSocket>> sockets;
    {
      Lock lock(mu_);
      const auto [begin, end] = listeners_.equal_range(letter.tenant);
      for (auto it = begin; it != end; ++it) sockets.push_back(it->second);
      if (sockets.empty()) {
        if (!stopped_) keep(std::move(letter));
        return;
      }
    }
    bool heard = false;
    for (const auto& socket : sockets) {
      if (socket->send(letter.text)) {
        heard = true;
      } else {
        forget(socket.get());
      }
    }
    if (heard) return;
  }
}

void Mail::keep(Letter letter) {
  if (kept_.size() >= options_.max_tenants && !kept_.contains(letter.tenant)) {
    ++dropped_;
    return;
  }
  auto& kept = kept_[letter.tenant];
  kept.push_back(std::move(letter.text));
  if (kept.size() > options_.max_letters) {
    kept.pop_front();
    ++dropped_;
  }
}

void Mail::listen(const std::string& tenant, const Request& request, const Responder& reply) {
  bool full = false;
  {
    Lock lock(mu_);
    full = stopped_ || listeners_.size() >= options_.max_listeners;
  }
  if (full) {
    Response refusal(429, "too many listen already\n", kText);
    reply.send(std::move(refusal.add("Retry-After", "5")));
    return;
  }
  // Filled once the socket is there; the callback comes later.
  auto self = std::make_shared<const WebSocket*>(nullptr);
  auto socket = WebSocket::accept(request, reply, {.on_gone = [this, self] { forget(*self); }});
  if (socket == nullptr) return;
  *self = socket.get();
  std::deque<std::string> kept;
  {
    Lock lock(mu_);
    listeners_.emplace(tenant, socket);
    const auto it = kept_.find(tenant);
    if (it != kept_.end()) kept.swap(it->second);
    if (it != kept_.end()) kept_.erase(it);
  }
  while (!kept.empty() && socket->send(kept.front())) kept.pop_front();
  if (!socket->alive()) forget(socket.get());
  // It left while we spoke: the rest is for the next.
  for (std::string& letter : kept) deliver({tenant, std::move(letter)});
}

void Mail::forget(const WebSocket* socket) {
  Lock lock(mu_);
  for (auto it = listeners_.begin(); it != listeners_.end(); ++it) {
    if (it->second.get() != socket) continue;
    listeners_.erase(it);
    return;
  }
}

void Mail::stop() {
  std::multimap<std::string, std::shared_ptr<WebSocket>> all;
  {
    Lock lock(mu_);
    stopped_ = true;
    all.swap(listeners_);
  }
  for (auto& [tenant, socket] : all) {
    socket->close(websocket::CloseCode::GoingAway, "the server is stopping");
  }
}

std::uint64_t Mail::dropped() const {
  Lock lock(mu_);
  return dropped_;
}

}  // namespace slipway::api::perspective
