#pragma once
// Which server a command talks to and as whom. `~/.config/slipway/config.toml`:
//
//   current = "prod"
//   [contexts.prod]
//   server = "https://slipway.example:8081"
//   token_file = "/home/me/.config/slipway/prod.token"
//
// Flags win over the environment (SLIPWAY_SERVER, SLIPWAY_TOKEN_FILE), which wins over the context.
#include <map>
#include <string>

#include "app/cli/command.hpp"
#include "core/base/result.hpp"

namespace slipway::app::cli {

struct Context {
  std::string server;
  std::string token_file;  // may be empty
};

struct Contexts {
  std::string current;  // may be empty
  std::map<std::string, Context> all;
};

// $XDG_CONFIG_HOME or ~/.config, then slipway/config.toml; empty without a home.
std::string contexts_path(const Io& io);
// A file that does not exist holds no contexts. Errors name file, line and column.
base::Result<Contexts> read_contexts(const std::string& path);
// Replaces the file at once (written beside it, then renamed), mode 0600.
base::Status write_contexts(const std::string& path, const Contexts& contexts);

struct Connection {
  std::string server;  // without a slash at the end
  std::string token;   // empty: none is sent
};

inline constexpr const char* kDefaultServer = "http://127.0.0.1:8081";

// A context's token is for that context's server alone: --server elsewhere does not send it there.
// Errors: unknown context, not a URL, token file missing, empty or readable by others.
base::Result<Connection> find_connection(const Io& io, const Values& values);

}  // namespace slipway::app::cli
