#pragma once
// Everything the API needs of the rest of the server, handed in once. app/serve.cpp fills it; a
// test fills it with what it has. All members may be used from any thread and outlive the server.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/login_delays.hpp"
#include "api/query_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/json_read.hpp"
#include "core/base/live.hpp"
#include "core/base/secret.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/hot_tasks.hpp"
#include "eventstore/live_counts.hpp"
#include "eventstore/live_progress.hpp"
#include "eventstore/sequencer.hpp"
#include "eventstore/waiters.hpp"

namespace slipway::api {

class EventFeed;

// What GET /readyz lists.
struct ReadyCheck {
  std::string name;
  bool ok = false;
  std::string detail;
};

struct ApiOptions {
  std::string version = "0.1.0";
  // Signs cursors and the tokens of /api/token; the same over restarts, so that both survive one.
  base::Key signing_key{};
  base::Duration credential_cache = std::chrono::seconds(60);
  std::size_t max_cached_credentials = 10000;
  LoginDelays::Options login_delays;
  base::JsonLimits json;               // of bodies
  std::uint32_t slots_per_worker = 8;  // for desired_workers

  // ---- what a reload may change ----
  base::Live<bool> demo =
      false;  // a request without identity is user demo of tenant demo, an admin
  base::Live<bool> read_only = false;  // every command is refused
  base::Live<base::Duration> max_wait = base::Duration(std::chrono::seconds(60));
  base::Live<bool> wrong_password_is_401 = false;  // dialect vmfront; else 503, as the original
  base::Live<base::Duration> min_seq_wait = base::Duration(std::chrono::seconds(5));
  base::Live<base::Duration> target_wait = base::Duration(std::chrono::seconds(30));
  base::Live<std::uint32_t> min_workers = 0U;
  base::Live<std::uint32_t> max_workers = 1000U;
};

// GET /healthz: whether the program's loops turn.
struct HealthAnswer {
  bool ok = true;
  std::string json = R"({"status":"ok","checks":[]})";
};

struct ApiServices {
  ApiOptions options;
  const base::Clock& clock;

  // ---- writing ----
  // To the sequencer. False: its queue is full, and the submission is untouched.
  std::function<bool(std::unique_ptr<eventstore::Submission>&&)> submit;
  // The value as the secrets store keeps it under `ref`.
  std::function<std::string(std::string_view ref, std::string_view tenant, const base::Secret&)>
      seal;
  // Reads the store: not on an I/O thread, except in the rare replay of an answer with a secret.
  std::function<base::Result<base::Secret>(std::string_view ref, std::string_view tenant)>
      open_secret;

  // ---- reading ----
  const eventstore::EventLog& log;
  QueryPool& queries;
  const eventstore::HotTasks& hot_tasks;
  eventstore::Waiters& waiters;
  const eventstore::LiveProgress& progress;
  EventFeed& feed;
  std::function<domain::Seq()> projected_seq;
  std::function<domain::Seq()> committed_seq;  // see CommitClock
  std::function<eventstore::DirectoryPtr()> people;
  std::function<eventstore::LiveCounts()> counts;

  // ---- running ----
  std::function<std::vector<eventstore::WorkerStatus>()> workers;
  std::function<void(eventstore::DrainRequest&&)> drain_worker;
  // Asks the VM's backend; its `done` is called on another thread.
  std::function<void(eventstore::InspectRequest&&)> inspect_vm;
  std::function<double(std::string_view worker_pool)> arrival_rate;  // tasks a second; may be empty
  std::function<HealthAnswer()> health;                              // empty: always well
  std::function<std::vector<ReadyCheck>()> ready;                    // empty: always ready
  std::function<std::string()> metrics;                              // Prometheus text
  std::function<bool()> rebuild_projections;                         // false: one is under way
  std::function<base::Result<std::string>()> backup;                 // starts one; where it goes
};

}  // namespace slipway::api
