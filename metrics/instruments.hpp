#pragma once
// Every metric of the service: name, help, labels, buckets, and how many series it may have. The
// names are a promise to dashboards and alerts (deploy/): add, never rename.
//
//   Instruments m;                                     one a process, made first, destroyed last
//   m.http_requests.with("core", "GET", route, "200").add();
//   m.eventlog_append_duration->observe(took);
//
// "Kept elsewhere" are gauges and counters that a hook moves before each scrape (registry.hpp),
// from what somebody counts anyway; counters among them come from the projection, so that a restart
// does not set them back. Labels have few values and never an id, a name a client chose, or a path.
#include <array>

#include "metrics/registry.hpp"

namespace slipway::metrics {

// ---- buckets, in seconds ----
inline constexpr std::array kDiskBuckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                         0.01,   0.025,   0.05,   0.1,   0.5,    1.0};
inline constexpr std::array kCallBuckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,  0.5,   1.0,  2.5,   5.0,  10.0};
inline constexpr std::array kTaskBuckets{0.05, 0.1,   0.5,   1.0,   5.0,    10.0,  30.0,
                                         60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0};
// Events in one synced batch: 1000 is its limit.
inline constexpr std::array kBatchBuckets{1.0,  2.0,   5.0,   10.0,  20.0,
                                          50.0, 100.0, 200.0, 500.0, 1000.0};

// Names that operators choose, "other" included.
inline constexpr std::size_t kMaxBackends = 4;
inline constexpr std::size_t kMaxWorkerPools = 8;

struct Instruments {
  Instruments();

  // Shows at 0 what is known of a backend, a worker pool or a projection. At start, of each.
  void add_backend(std::string_view backend);
  void add_worker_pool(std::string_view worker_pool);
  void add_projection(std::string_view projection);

  Registry registry;

  // ---- the process ----
  Gauges<2> build_info{
      registry,
      {.name = "slipway_build_info", .help = "1; the labels say what runs.", .max_series = 2},
      {{"version"}, {"revision"}}};
  Gauges<> ready{registry,
                 {.name = "slipway_ready", .help = "1 while /readyz answers 200, else 0."}};
  Gauges<> leader{registry,
                  {.name = "slipway_leader", .help = "1 on the server that appends, else 0."}};
  Gauges<> draining{registry,
                    {.name = "slipway_draining", .help = "1 from SIGTERM to the end, else 0."}};
  Gauges<> config_last_reload_successful{
      registry,
      {.name = "slipway_config_last_reload_successful",
       .help = "0 when the last SIGHUP found a bad configuration and kept the old one, else 1."}};
  Gauges<> config_last_reload_success_timestamp{
      registry,
      {.name = "slipway_config_last_reload_success_timestamp_seconds",
       .help = "When the configuration in force was read."}};
  Counters<1> log_messages{
      registry,
      {.name = "slipway_log_messages_total",
       .help = "Log messages by level, those held back by the rate limit included."},
      {{"level", {"debug", "info", "warn", "error"}}}};
  Gauges<> process_resident_memory{
      registry,
      {.name = "process_resident_memory_bytes", .help = "Memory of the process that is in RAM."}};
  Gauges<> process_open_fds{registry,
                            {.name = "process_open_fds", .help = "Open file descriptors."}};
  Gauges<> process_max_fds{registry,
                           {.name = "process_max_fds", .help = "Limit of open file descriptors."}};
  Gauges<> process_start_time{
      registry,
      {.name = "process_start_time_seconds", .help = "When the process began, in Unix time."}};
  SecondsCounters<> process_cpu{
      registry,
      {.name = "process_cpu_seconds_total", .help = "CPU time spent, in user and system mode."}};

  // ---- HTTP ----
  Counters<4> http_requests{
      registry,
      {.name = "slipway_http_requests_total", .help = "Requests answered.", .max_series = 440},
      {{"dialect"}, {"method"}, {"route"}, {"code"}}};
  Histograms<2> http_request_duration{
      registry,
      {.name = "slipway_http_request_duration_seconds",
       .help = "Request head read to answer handed over, waits for tasks excluded.",
       .max_series = 70,
       .bounds = kCallBuckets},
      {{"dialect"}, {"route"}}};
  Gauges<> http_requests_in_flight{
      registry,
      {.name = "slipway_http_requests_in_flight", .help = "Requests read and not yet answered."}};
  Gauges<> http_waiters{
      registry,
      {.name = "slipway_http_waiters", .help = "Requests that wait for a task or an event."}};
  // Reasons beside the edge's own (api/edge/options.hpp) are the stable problem codes.
  Counters<1> http_rejected{
      registry,
      {.name = "slipway_http_rejected_total",
       .help = "Requests and connections refused because of a limit.",
       .max_series = 32},
      {{"reason",
        {"malformed",      "request_line",  "header_bytes", "header_count",  "body_bytes",
         "body_encoding",  "header_time",   "body_time",    "body_rate",     "idle_time",
         "stalled_reader", "stream_behind", "connections",  "address_cap",   "file_descriptors",
         "handler_failed", "queue_full",    "rate_limited", "shutting_down", "read_only",
         "sql_busy",       "mail_dropped"}}}};
  Counters<1> idempotency_requests{registry,
                                   {.name = "slipway_idempotency_requests_total",
                                    .help = "Commands that brought an Idempotency-Key."},
                                   {{"result", {"new", "replayed", "reused"}}}};

  // ---- tasks (kept elsewhere, but for the histograms) ----
  Counters<2> tasks_submitted{registry,
                              {.name = "slipway_tasks_submitted_total",
                               .help = "Tasks accepted.",
                               .scope = Scope::Service,
                               .max_series = 120},
                              {{"command"}, {"dialect"}}};
  Counters<3> tasks_finished{registry,
                             {.name = "slipway_tasks_finished_total",
                              .help = "Tasks that ended; outcome is the state they ended in.",
                              .scope = Scope::Service,
                              .max_series = 240},
                             {{"command"}, {"backend"}, {"outcome"}}};
  Counters<3> task_attempts{registry,
                            {.name = "slipway_task_attempts_total",
                             .help = "Attempts that ended.",
                             .scope = Scope::Service,
                             .max_series = 240},
                            {{"command"}, {"backend"}, {"result"}}};
  Counters<2> task_retries{registry,
                           {.name = "slipway_task_retries_total",
                            .help = "Attempts that will be made again, by what ended them.",
                            .scope = Scope::Service,
                            .max_series = 100},
                           {{"command"}, {"reason"}}};
  Counters<2> tasks_dead_lettered{registry,
                                  {.name = "slipway_tasks_dead_lettered_total",
                                   .help = "Tasks given up: attempts used up, or poison.",
                                   .scope = Scope::Service,
                                   .max_series = 60},
                                  {{"command"}, {"reason"}}};
  Counters<2> task_undo_steps{registry,
                              {.name = "slipway_task_undo_steps_total",
                               .help = "Finished steps that were undone.",
                               .scope = Scope::Service,
                               .max_series = 80},
                              {{"command"}, {"result"}}};
  Histograms<1> task_queue_wait{registry,
                                {.name = "slipway_task_queue_wait_seconds",
                                 .help = "READY to leased.",
                                 .scope = Scope::Service,
                                 .max_series = kMaxWorkerPools,
                                 .bounds = kTaskBuckets},
                                {{"worker_pool"}}};
  Histograms<2> task_attempt_duration{registry,
                                      {.name = "slipway_task_attempt_duration_seconds",
                                       .help = "Leased to the attempt's end.",
                                       .scope = Scope::Service,
                                       .max_series = 40,
                                       .bounds = kTaskBuckets},
                                      {{"command"}, {"backend"}}};
  Histograms<2> task_end_to_end_duration{registry,
                                         {.name = "slipway_task_end_to_end_duration_seconds",
                                          .help = "Accepted to the task's end.",
                                          .scope = Scope::Service,
                                          .max_series = 36,
                                          .bounds = kTaskBuckets},
                                         {{"command"}, {"outcome"}}};
  Gauges<1> tasks{registry,
                  {.name = "slipway_tasks", .help = "Tasks by state.", .scope = Scope::Service},
                  {{"state",
                    {"ACCEPTED", "BLOCKED", "READY", "RUNNING", "RETRY_WAIT", "SUCCEEDED", "FAILED",
                     "CANCELLED", "TIMED_OUT", "DEAD", "PARTIAL"}}}};

  // ---- queues and workers (kept elsewhere) ----
  Gauges<2> queue_tasks{
      registry,
      {.name = "slipway_queue_tasks",
       .help = "Unfinished tasks of a pool: ready, scheduled (for later), leased.",
       .scope = Scope::Service,
       .max_series = 3 * kMaxWorkerPools},
      {{"worker_pool"}, {"state"}}};
  Gauges<1> queue_oldest_ready{
      registry,
      {.name = "slipway_queue_oldest_ready_timestamp_seconds",
       .help = "Since when the oldest ready task has been ready; 0 when there is none.",
       .scope = Scope::Service,
       .max_series = kMaxWorkerPools},
      {{"worker_pool"}}};
  Gauges<1> task_leases{registry,
                        {.name = "slipway_task_leases",
                         .help = "Tasks held by workers.",
                         .scope = Scope::Service,
                         .max_series = kMaxWorkerPools},
                        {{"worker_pool"}}};
  Counters<1> task_lease_expirations{registry,
                                     {.name = "slipway_task_lease_expirations_total",
                                      .help = "Task leases whose worker was not heard of in time.",
                                      .max_series = kMaxWorkerPools},
                                     {{"worker_pool"}}};
  Counters<1> task_stale_results{
      registry,
      {.name = "slipway_task_stale_results_total",
       .help = "Reports with a token that is no longer the task's; they change nothing.",
       .max_series = kMaxWorkerPools},
      {{"worker_pool"}}};
  Gauges<2> workers{registry,
                    {.name = "slipway_workers",
                     .help = "Connected workers: active or draining.",
                     .scope = Scope::Service,
                     .max_series = 3 * kMaxWorkerPools},
                    {{"worker_pool"}, {"state"}}};
  Gauges<1> worker_slots{registry,
                         {.name = "slipway_worker_slots",
                          .help = "Tasks that connected workers can hold at once.",
                          .scope = Scope::Service,
                          .max_series = kMaxWorkerPools},
                         {{"worker_pool"}}};
  Gauges<1> worker_slots_busy{registry,
                              {.name = "slipway_worker_slots_busy",
                               .help = "Slots that hold a task.",
                               .scope = Scope::Service,
                               .max_series = kMaxWorkerPools},
                              {{"worker_pool"}}};
  Gauges<1> workers_desired{registry,
                            {.name = "slipway_workers_desired",
                             .help = "Workers that would hold the backlog within the target wait.",
                             .scope = Scope::Service,
                             .max_series = kMaxWorkerPools},
                            {{"worker_pool"}}};
  SecondsCounters<1> worker_busy{registry,
                                 {.name = "slipway_worker_busy_seconds_total",
                                  .help = "Slot time spent holding a task.",
                                  .max_series = kMaxWorkerPools},
                                 {{"worker_pool"}}};
  Counters<2> broker_messages{registry,
                              {.name = "slipway_broker_messages_total",
                               .help = "Messages between server and workers.",
                               .max_series = 24},
                              {{"direction"}, {"message"}}};
  Counters<1> broker_dropped{
      registry,
      {.name = "slipway_broker_dropped_total", .help = "Messages dropped by the broker."},
      {{"reason",
        {"malformed", "from_dropped_peer", "foreign_session", "unknown_session", "unreachable",
         "queue_full", "secret_unavailable"}}}};

  // ---- backends and VMs ----
  Counters<3> backend_requests{registry,
                               {.name = "slipway_backend_requests_total",
                                .help = "Calls made to a backend; code is ok or the error's code.",
                                .max_series = 120},
                               {{"backend"}, {"operation"}, {"code"}}};
  Histograms<2> backend_request_duration{registry,
                                         {.name = "slipway_backend_request_duration_seconds",
                                          .help = "Duration of calls to a backend.",
                                          .max_series = 24,
                                          .bounds = kCallBuckets},
                                         {{"backend"}, {"operation"}}};
  Gauges<1> backend_up{registry,
                       {.name = "slipway_backend_up",
                        .help = "1 if the backend answered its last probe, else 0.",
                        .max_series = kMaxBackends},
                       {{"backend"}}};
  Gauges<1> backend_circuit_open{registry,
                                 {.name = "slipway_backend_circuit_open",
                                  .help = "1 while calls are held back after failures, else 0.",
                                  .max_series = kMaxBackends},
                                 {{"backend"}}};
  Counters<1> backend_throttled{registry,
                                {.name = "slipway_backend_throttled_total",
                                 .help = "Answers of a backend that asked for fewer calls.",
                                 .max_series = kMaxBackends},
                                {{"backend"}}};
  Gauges<1> backend_calls_in_flight{registry,
                                    {.name = "slipway_backend_calls_in_flight",
                                     .help = "Calls to a backend that are under way.",
                                     .max_series = kMaxBackends},
                                    {{"backend"}}};
  Gauges<1> backend_calls_waiting{
      registry,
      {.name = "slipway_backend_calls_waiting",
       .help = "Tasks that wait in workers for their turn at a backend.",
       .max_series = kMaxBackends},
      {{"backend"}}};
  Counters<2> backend_held_back{
      registry,
      {.name = "slipway_backend_held_back_total",
       .help = "Calls that had to wait (calls, host, rate) and tasks sent back uncounted.",
       .max_series = 6 * kMaxBackends},
      {{"backend"}, {"reason", {"calls", "host", "rate", "circuit", "retries", "silent"}}}};
  Gauges<2> vms{registry,
                {.name = "slipway_vms",
                 .help = "VMs by state.",
                 .scope = Scope::Service,
                 .max_series = 20 * kMaxBackends},
                {{"backend"}, {"state"}}};
  Counters<1> vms_created{registry,
                          {.name = "slipway_vms_created_total",
                           .help = "VMs that came to run for the first time.",
                           .scope = Scope::Service,
                           .max_series = kMaxBackends},
                          {{"backend"}}};
  Counters<1> vms_deleted{registry,
                          {.name = "slipway_vms_deleted_total",
                           .help = "VMs deleted.",
                           .scope = Scope::Service,
                           .max_series = kMaxBackends},
                          {{"backend"}}};
  Counters<2> vm_failures{registry,
                          {.name = "slipway_vm_failures_total",
                           .help = "Operations on a VM that failed for good.",
                           .scope = Scope::Service,
                           .max_series = 60},
                          {{"backend"}, {"operation"}}};
  Histograms<1> vm_provision_duration{registry,
                                      {.name = "slipway_vm_provision_duration_seconds",
                                       .help = "VM accepted to running.",
                                       .scope = Scope::Service,
                                       .max_series = kMaxBackends,
                                       .bounds = kTaskBuckets},
                                      {{"backend"}}};
  Gauges<1> reservations{
      registry,
      {.name = "slipway_reservations", .help = "Reservations of hosts.", .scope = Scope::Service},
      {{"state", {"pending", "active", "deleted", "error"}}}};

  // ---- log, projections, storage ----
  Counters<1> eventlog_events{registry,
                              {.name = "slipway_eventlog_events_total",
                               .help = "Events in the log.",
                               .scope = Scope::Service,
                               .max_series = 140},
                              {{"type"}}};
  Counters<> eventlog_bytes{registry,
                            {.name = "slipway_eventlog_bytes_total",
                             .help = "Bytes of records appended by this process."}};
  Histograms<> eventlog_append_duration{registry,
                                        {.name = "slipway_eventlog_append_duration_seconds",
                                         .help = "Append of one batch, encoding and sync included.",
                                         .bounds = kDiskBuckets}};
  Histograms<> eventlog_sync_duration{registry,
                                      {.name = "slipway_eventlog_sync_duration_seconds",
                                       .help = "The synced write of one batch.",
                                       .bounds = kDiskBuckets}};
  Histograms<> eventlog_group_commit_events{registry,
                                            {.name = "slipway_eventlog_group_commit_events",
                                             .help = "Events that shared one sync.",
                                             .bounds = kBatchBuckets}};
  Counters<2> reconcile_runs{registry,
                             {.name = "slipway_reconcile_runs_total",
                              .help = "Lists of what a cloud has: done, failed.",
                              .scope = Scope::Service,
                              .max_series = 2 * kMaxBackends},
                             {{"backend"}, {"result"}}};
  Counters<2> reconcile_findings{
      registry,
      {.name = "slipway_reconcile_findings_total",
       .help = "What such a list showed: drifted, adopted, repaired, lost, found, orphan, ...",
       .scope = Scope::Service,
       .max_series = 10 * kMaxBackends},
      {{"backend"}, {"kind"}}};
  Histograms<> timers_late{registry,
                           {.name = "slipway_timers_late_seconds",
                            .help = "How long after it was due a timer fired.",
                            .bounds = kCallBuckets}};
  Gauges<> eventlog_head_seq{registry,
                             {.name = "slipway_eventlog_head_seq", .help = "The log's last seq."}};
  Gauges<1> projection_seq{registry,
                           {.name = "slipway_projection_seq",
                            .help = "The last seq that the projection has folded.",
                            .max_series = 4},
                           {{"projection"}}};
  Gauges<1> projection_lag_events{registry,
                                  {.name = "slipway_projection_lag_events",
                                   .help = "Events in the log that it has not folded.",
                                   .max_series = 4},
                                  {{"projection"}}};
  Gauges<1> projection_last_event_timestamp{
      registry,
      {.name = "slipway_projection_last_event_timestamp_seconds",
       .help = "Time of the last event that it has folded.",
       .max_series = 4},
      {{"projection"}}};
  Counters<1> projection_errors{registry,
                                {.name = "slipway_projection_errors_total",
                                 .help = "Transactions of the projection that failed.",
                                 .max_series = 4},
                                {{"projection"}}};
  Gauges<1> rocksdb_size{registry,
                         {.name = "slipway_rocksdb_size_bytes", .help = "Size of the store."},
                         {{"kind", {"tables", "memtables", "table_readers", "block_cache"}}}};
  Gauges<> rocksdb_pending_compaction{registry,
                                      {.name = "slipway_rocksdb_pending_compaction_bytes",
                                       .help = "Bytes that compaction still has to rewrite."}};
  Counters<1> rocksdb_block_cache_lookups{
      registry,
      {.name = "slipway_rocksdb_block_cache_lookups_total", .help = "Lookups of blocks."},
      {{"result", {"hit", "miss"}}}};
  SecondsCounters<> rocksdb_stall{registry,
                                  {.name = "slipway_rocksdb_stall_seconds_total",
                                   .help = "Time for which the store held writes back."}};
  Counters<> rocksdb_background_errors{registry,
                                       {.name = "slipway_rocksdb_background_errors_total",
                                        .help = "Errors of flushes and compactions."}};
  Gauges<> webhook_pending{registry,
                           {.name = "slipway_webhook_pending", .help = "Deliveries not yet made."}};
  Counters<1> webhook_deliveries{
      registry,
      {.name = "slipway_webhook_deliveries_total", .help = "Deliveries tried, by how they ended."},
      {{"result", {"delivered", "failed", "refused", "disabled"}}}};

 private:
  ScrapeHook process_hook_ = watch_process();
  ScrapeHook watch_process();
};

}  // namespace slipway::metrics
