#include "eventstore/reconciler.hpp"

#include <algorithm>

namespace slipway::eventstore {
namespace {

constexpr base::Duration kFirst = std::chrono::seconds(1);  // workers say hello first
constexpr base::Duration kNobody = std::chrono::seconds(1);

}  // namespace

bool Reconciler::is_due(const std::string& backend, base::SteadyTime now) {
  const auto [it, is_new] = due_.try_emplace(backend, now + kFirst);
  if (is_new || it->second > now) return false;
  const auto run = runs_.find(backend);
  return run == runs_.end() || now - run->second.started > options_.patience;
}

std::optional<base::SteadyTime> Reconciler::next_due() const {
  std::optional<base::SteadyTime> next;
  if (!is_on()) return next;
  for (const auto& [backend, due] : due_) {
    const auto run = runs_.find(backend);
    const auto at =
        run == runs_.end() ? due : std::max(due, run->second.started + options_.patience);
    if (!next || at < *next) next = at;
  }
  return next;
}

Reconciler::Run& Reconciler::begin(const std::string& backend, const domain::SessionId& session,
                                   base::SteadyTime now) {
  due_[backend] = now + options_.interval;
  Run& run = runs_[backend];
  run = {};
  run.number = ++last_number_;
  run.session = session;
  run.started = now;
  return run;
}

Reconciler::Run* Reconciler::take(const domain::InventoryPage& page) {
  const auto it = runs_.find(page.backend);
  if (it == runs_.end() || it->second.number != page.run || it->second.session != page.session) {
    return nullptr;
  }
  Run& run = it->second;
  if (page.page != run.pages) {
    runs_.erase(it);
    return nullptr;
  }
  ++run.pages;
  for (const domain::SeenImage& image : page.inventory.images) run.images.push_back(image.ref);
  for (const std::string& host : page.inventory.silent_hosts) run.silent_hosts.push_back(host);
  return &run;
}

void Reconciler::end(const std::string& backend) { runs_.erase(backend); }

void Reconciler::put_off(const std::string& backend, base::SteadyTime now) {
  due_[backend] = now + kNobody;
}

}  // namespace slipway::eventstore
