#pragma once
// What the service is told from outside: one plain struct of plain sections, each with its
// defaults. The composition roots (serve, worker) copy from it into the Options of the components,
// which know nothing of it. A member is a key: `config.http.max_body_bytes` is
// `http.max_body_bytes` in the file, SLIPWAY_HTTP__MAX_BODY_BYTES in the environment and
// --http.max_body_bytes on the command line. Help, bounds and what a reload may change are in
// config_table.cpp, a row for each member; a test fails when a row is missing. The list `backends`
// is the exception: only the file has it.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace slipway::app {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Bytes; written "64MiB".
struct ByteSize {
  std::uint64_t bytes = 0;
  constexpr operator std::uint64_t() const { return bytes; }  // NOLINT: it is a number
};
constexpr ByteSize kib(std::uint64_t n) { return {n << 10U}; }
constexpr ByteSize mib(std::uint64_t n) { return {n << 20U}; }
constexpr ByteSize gib(std::uint64_t n) { return {n << 30U}; }

// Where a secret is, never the secret: a path, or a name under $CREDENTIALS_DIRECTORY. Read with
// read_secret (secret_file.hpp) at each use or on reload.
struct SecretFile {
  std::string path{};
  bool empty() const { return path.empty(); }
};

using TextList = std::vector<std::string>;

struct ServerConfig {
  std::string listen = "127.0.0.1:8081";
  TextList listeners = {"main",      "orchestrator", "reservation",
                        "nano_user", "nano_core",    "perspective"};
  std::string data_dir = "slipway-data";
  std::uint64_t workers = 1;  // in this process
  bool read_only = false;
  bool allow_insecure = false;
  base::Duration drain_timeout = seconds(60);
};

struct AdminConfig {
  std::string listen{};
};

struct HttpConfig {
  std::uint64_t io_threads = 2;
  std::uint64_t query_threads = 2;
  ByteSize max_body_bytes = mib(1);
  ByteSize max_upload_bytes = gib(64);
  ByteSize max_request_line_bytes = kib(8);
  ByteSize max_header_bytes = kib(16);
  std::uint64_t max_headers = 64;
  std::uint64_t json_depth = 32;
  std::uint64_t json_keys_per_object = 1024;
  std::uint64_t json_elements_per_array = 10000;
  ByteSize json_string_bytes = kib(64);
  base::Duration header_timeout = seconds(10);
  base::Duration body_timeout = seconds(30);
  ByteSize body_bytes_per_second = kib(1);
  base::Duration idle_timeout = seconds(60);
  base::Duration stall_timeout = seconds(20);
  std::uint64_t max_connections = 10000;
  std::uint64_t max_connections_per_address = 0;
  std::uint64_t rate_per_token = 0;  // requests a second; 0: off
  std::uint64_t rate_per_tenant = 0;
  std::uint64_t rate_per_address = 0;
  std::uint64_t rate_burst = 100;
  base::Duration max_wait_seconds = seconds(60);
  std::uint64_t max_waiters = 10000;
  base::Duration min_seq_wait = seconds(5);
};

// ---- the dialects ----
struct VmFrontConfig {
  std::uint64_t wrong_identity_status = 503;
};
struct OrchestratorConfig {
  std::string listen = "127.0.0.1:5050";
  std::string tenant = "demo";
  std::string default_cloud = "fake_driver";
  bool require_token = false;
  bool release_destroys = false;
};
struct NanoConfig {
  std::string user_listen = "127.0.0.1:5870";
  std::string core_listen = "127.0.0.1:5850";
  SecretFile core_keys_file{};
  std::string password_policy = "any";
  base::Duration session_timeout = seconds(120);
};

struct PerspectiveConfig {
  std::string listen = "127.0.0.1:8080";
  std::string tenant = "demo";
  bool require_token = false;
};

struct ReservationConfig {
  std::string listen = "127.0.0.1:1234";
  std::string profile = "doc";
  bool accept_any_token = false;
};

struct LeaseConfig {
  std::uint64_t before_end_minutes = 0;  // 0: as the profile has it
  std::string before_end = "email";
};

struct EventLogConfig {
  std::string sync = "always";
  ByteSize reserve_bytes = gib(1);
  ByteSize block_cache_bytes = mib(16);
  ByteSize memtable_bytes = mib(16);
  ByteSize max_wal_bytes = mib(128);
  std::uint64_t batch_events = 1000;
  ByteSize batch_bytes = mib(1);
  std::uint64_t queue_capacity = 4096;
  base::Duration idempotency_retention = hours(48);
};

struct TasksConfig {
  base::Duration default_deadline = hours(24);
  std::uint64_t max_attempts = 5;
  std::uint64_t max_process_deaths = 3;
  base::Duration backoff_base = milliseconds(500);
  base::Duration backoff_max = seconds(60);
  base::Duration lease_timeout = seconds(30);
  base::Duration undo_grace = seconds(60);
  base::Duration progress_log_interval = seconds(10);
  std::uint64_t max_batch_items = 1000;
  std::uint64_t max_in_flight_per_tenant = 1'000'000;
  std::uint64_t max_per_pool = 1'000'000;
  bool fencing = true;
  base::Duration target_wait = seconds(30);
  std::uint64_t min_workers = 0;
  std::uint64_t max_workers = 100;
};

struct ReconcileConfig {
  base::Duration interval = seconds(60);
  base::Duration orphan_age = seconds(30);
};

struct BrokerConfig {
  std::string listen{};
  SecretFile secret_key_file{};
  std::string workers_file{};
  base::Duration handshake_timeout = seconds(5);
  base::Duration heartbeat_interval = seconds(2);
  base::Duration heartbeat_timeout = seconds(10);
  std::uint64_t max_queued_effects = 1'000'000;
  std::uint64_t send_high_water_mark = 100'000;
};

struct WorkerConfig {
  std::string name{};
  std::string server = "tcp://127.0.0.1:5871";
  TextList pools = {"default"};
  std::uint64_t slots = 64;
  SecretFile secret_key_file{};
  std::string server_public_key{};
  std::string metrics_listen{};
  base::Duration heartbeat_interval = seconds(5);
  base::Duration report_interval = seconds(2);
  base::Duration margin = seconds(1);
};

struct BackendConfig {
  base::Duration call_timeout = seconds(10);
  std::uint64_t retry_budget_percent = 10;
  std::uint64_t retries_always = 10;
  std::uint64_t breaker_min_calls = 20;
  base::Duration breaker_window = seconds(10);
  base::Duration breaker_pause = seconds(5);
  base::Duration silence = seconds(5);
};

struct SimulatedConfig {
  bool enabled = true;
  std::string name = "simulated";
  TextList clouds = {"fake_driver:dummy"};
  std::string state_file{};
  base::Duration create_latency = seconds(1);
  base::Duration operation_latency = milliseconds(200);
  double latency_jitter = 0.2;
  double failure_rate = 0;
  std::uint64_t capacity_vms = 2'000'000;
  std::uint64_t quota_vms = 0;
  bool forgetful = false;
};

// ---- clouds beside the first simulated one: a [[backends]] table each (backends_config.hpp) ----
struct OpenStackTable {
  std::string auth_url{};
  std::string region{};
  std::string interface = "public";
  std::string project{};
  std::string project_domain = "Default";
  std::string user{};
  std::string user_domain = "Default";
  SecretFile password_file{};
  std::string application_credential_id{};
  SecretFile application_credential_secret_file{};
  std::string ca_file{};
  bool verify = true;
  std::string network{};
  std::string availability_zone{};
  TextList endpoints{};
  bool create_flavors = false;
  base::Duration poll_interval = seconds(1);
};

// A libvirt connection: what the core calls a host.
struct CellTable {
  std::string name{};
  std::string uri{};
  std::string migrate_uri{};
  std::string address{};
  std::string storage_pool = "default";
  bool shared = false;
  std::uint64_t max_calls = 8;
};

struct LibvirtTable {
  std::string domain_type = "kvm";
  std::string arch = "x86_64";
  std::string machine = "q35";
  std::string network = "default";
  std::uint64_t network_prefix = 24;
  std::string addresses{};
  std::string gateway{};
  TextList dns{};
  TextList images{};
  std::string kernel{};
  std::string initrd{};
  std::string cmdline{};
  std::string clone = "overlay";
  bool seed = true;
  std::string vnc_listen{};
  std::string serial_directory{};
  std::uint64_t hot_vcpus = 1;
  std::uint64_t hot_memory = 1;
  double cpu_allocation_ratio = 4;
  std::uint64_t migrate_mib_per_second = 0;
  std::vector<CellTable> cells{};
};

// A further simulated cloud, with latencies of its own.
struct SimulatedTable {
  std::string face{};
  base::Duration create_latency = seconds(1);
  base::Duration operation_latency = milliseconds(200);
  double failure_rate = 0;
};

struct BackendTable {
  std::string name{};
  std::string type{};
  std::string worker_pool = "default";
  std::string policy = "report";
  std::string tenant{};
  std::uint64_t max_calls = 32;
  std::uint64_t max_calls_per_host = 0;  // 0: no limit
  double rate_per_second = 0;
  std::uint64_t rate_burst = 10;
  base::Duration call_timeout{};  // 0: what the type is made for
  // The one of its type is looked at.
  OpenStackTable openstack{};
  LibvirtTable libvirt{};
  SimulatedTable simulated{};
};

struct AuthConfig {
  bool demo = true;
  SecretFile admin_token_file{};
  base::Duration cache = seconds(60);
  std::uint64_t password_hashes_at_once = 4;
  std::uint64_t failures_per_account = 5;
  std::uint64_t failures_per_address = 100;
  base::Duration failure_delay_base = seconds(1);
  base::Duration failure_delay_max = minutes(5);
};

struct SecretsConfig {
  SecretFile master_key_file{};
  base::Duration grace = hours(24);
};

struct ReadyConfig {
  base::Duration max_lag_seconds = seconds(10);
};

struct LogConfig {
  std::string level = "info";
  std::uint64_t burst = 100;
};

struct ProjectionsConfig {
  ByteSize cache_bytes = mib(64);
  ByteSize reader_cache_bytes = mib(8);
  std::uint64_t ring_batches = 4096;
  std::uint64_t lot_events = 20000;
  std::uint64_t catch_up_lot_events = 100000;
  std::uint64_t max_hot_tasks = 50000;
  std::uint64_t checkpoint_pages = 16384;
  base::Duration query_timeout = seconds(5);
};

struct SqlConfig {
  std::uint64_t threads = 4;
  std::uint64_t max_per_tenant = 2;
  ByteSize max_text_bytes = kib(16);
  std::uint64_t max_tokens = 2000;
  std::uint64_t max_depth = 32;
  std::uint64_t max_joins = 4;
  std::uint64_t max_statements = 10;
  base::Duration timeout = seconds(2);
  std::uint64_t max_rows_scanned = 1'000'000;
  std::uint64_t max_rows = 10000;
  ByteSize max_memory_bytes = mib(64);
  ByteSize max_value_bytes = kib(64);
};

struct Config {
  ServerConfig server{};
  AdminConfig admin{};
  HttpConfig http{};
  VmFrontConfig vmfront{};
  OrchestratorConfig orchestrator{};
  ReservationConfig reservation{};
  NanoConfig nano{};
  PerspectiveConfig perspective{};
  LeaseConfig lease{};
  EventLogConfig eventlog{};
  TasksConfig tasks{};
  ReconcileConfig reconcile{};
  BrokerConfig broker{};
  WorkerConfig worker{};
  BackendConfig backend{};
  SimulatedConfig simulated{};
  std::vector<BackendTable> backends{};
  AuthConfig auth{};
  SecretsConfig secrets{};
  ReadyConfig ready{};
  ProjectionsConfig projections{};
  SqlConfig sql{};
  LogConfig log{};
};

}  // namespace slipway::app
