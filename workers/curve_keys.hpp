#pragma once
// CURVE keys (ZeroMQ's Curve25519 security) and the list of workers admitted. Each worker has a key
// pair; the server knows the public halves, and from the key it takes the worker's name and pools.
//
// Key file (mode 0600)                  Workers file, one line a worker ('#' starts a comment line)
//   public <40 characters of Z85>         <name> <pool>[,<pool>...] <public key, Z85>
//   secret <40 characters of Z85>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace slipway::workers {

struct CurveKeys {
  std::string public_key;  // Z85
  base::Secret secret_key;
};

// For `slipway worker keygen`: makes a pair, writes the file (never over an existing one) and
// returns its public key.
base::Result<std::string> generate_key_file(const std::string& path);
// Refuses a file that others may read.
base::Result<CurveKeys> read_key_file(const std::string& path);
// The text of such a file; `name` is for the message.
base::Result<CurveKeys> parse_key_file(std::string_view text, std::string_view name);
bool is_public_key(std::string_view z85);

struct AdmittedWorker {
  std::string name;
  std::vector<std::string> pools;
  std::string public_key;  // Z85
};

// The line to add to the server's workers file.
std::string workers_file_line(const AdmittedWorker& worker);
// All or nothing: an Error names the first bad line.
base::Result<std::vector<AdmittedWorker>> parse_workers_file(std::string_view text);
base::Result<std::vector<AdmittedWorker>> read_workers_file(const std::string& path);

}  // namespace slipway::workers
