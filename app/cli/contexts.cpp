#include "app/cli/contexts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/toml_library.hpp"

namespace slipway::app::cli {
namespace {

using base::Errc;
using base::fail;

std::string place(const std::string& path, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", path, source.begin.line, source.begin.column);
}

// One [contexts.NAME] table; an unknown key is an error with the nearest right one.
base::Result<Context> read_context(const std::string& path, const toml::table& table) {
  Context context;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    auto* target = name == "server"       ? &context.server
                   : name == "token_file" ? &context.token_file
                                          : nullptr;
    const auto where = place(path, node.source());
    if (!target) {
      const auto meant = nearest(name, {"server", "token_file"});
      return fail(Errc::InvalidArgument,
                  fmt::format("{}: unknown key '{}'{}", where, name,
                              meant.empty() ? "" : "; did you mean '" + meant + "'?"));
    }
    if (!node.is_string())
      return fail(Errc::InvalidArgument, fmt::format("{}: '{}' is not a string", where, name));
    *target = node.as_string()->get();
  }
  return context;
}

base::Result<Contexts> from_toml(const std::string& path, const toml::table& root) {
  Contexts out;
  for (const auto& [key, node] : root) {
    const auto where = place(path, node.source());
    if (key.str() == "current" && node.is_string()) {
      out.current = node.as_string()->get();
    } else if (key.str() == "contexts" && node.is_table()) {
      for (const auto& [name, entry] : *node.as_table()) {
        if (!entry.is_table())
          return fail(Errc::InvalidArgument,
                      fmt::format("{}: a context is a table", place(path, entry.source())));
        auto context = read_context(path, *entry.as_table());
        if (!context) return fail(context.error());
        out.all[std::string(name.str())] = *context;
      }
    } else {
      return fail(Errc::InvalidArgument,
                  fmt::format("{}: '{}' is unknown or of the wrong type; this file holds 'current' "
                              "and [contexts.NAME]",
                              where, key.str()));
    }
  }
  return out;
}

std::string trimmed(std::string text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

base::Result<std::string> read_token(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return fail(Errc::InvalidArgument, fmt::format("token file {} cannot be read", path));
  if ((info.st_mode & (S_IROTH | S_IRGRP)) != 0)
    return fail(Errc::InvalidArgument,
                fmt::format("token file {} may be read by others; run: chmod 600 {}", path, path));
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  auto token = trimmed(text.str());
  if (!file || token.empty() || token.find_first_of(" \t\r\n") != std::string::npos)
    return fail(Errc::InvalidArgument, fmt::format("token file {} does not hold one token", path));
  return token;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string first_of(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

base::Result<Context> chosen_context(const Io& io, const Values& values) {
  const auto path = contexts_path(io);
  const auto contexts = read_contexts(path);
  if (!contexts) return fail(contexts.error());
  const auto name = values.get("--context", contexts->current);
  if (name.empty()) return Context{};
  const auto found = contexts->all.find(name);
  if (found != contexts->all.end()) return found->second;
  return fail(Errc::InvalidArgument,
              fmt::format("no context '{}' in {}; see: slipway config context", name, path));
}

}  // namespace

std::string contexts_path(const Io& io) {
  auto folder = io.variable("XDG_CONFIG_HOME");
  if (folder.empty()) {
    const auto home = io.variable("HOME");
    if (home.empty()) return {};
    folder = home + "/.config";
  }
  return folder + "/slipway/config.toml";
}

base::Result<Contexts> read_contexts(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) return Contexts{};
  const auto result = parse_toml([&] { return toml::parse_file(path); });
  if (!result) return fail(Errc::InvalidArgument, fmt::format("{}: {}", path, TomlSlip().what()));
  if (*result) return from_toml(path, result->table());
  const auto& error = result->error();
  return fail(Errc::InvalidArgument,
              fmt::format("{}: {}", place(path, error.source()), error.description()));
}

base::Status write_contexts(const std::string& path, const Contexts& contexts) {
  toml::table all;
  for (const auto& [name, context] : contexts.all) {
    toml::table entry{{"server", context.server}};
    if (!context.token_file.empty()) entry.insert("token_file", context.token_file);
    all.insert(name, std::move(entry));
  }
  toml::table root{{"contexts", std::move(all)}};
  if (!contexts.current.empty()) root.insert("current", contexts.current);
  std::ostringstream text;
  text << root << '\n';

  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const auto beside = path + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto bytes = text.str();
  const bool written =
      fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  if (fd >= 0) ::close(fd);
  if (!written || std::rename(beside.c_str(), path.c_str()) != 0)
    return fail(Errc::Internal, fmt::format("cannot write {}", path));
  return {};
}

base::Result<Connection> find_connection(const Io& io, const Values& values) {
  const auto context = chosen_context(io, values);
  if (!context) return fail(context.error());
  // A context named on the command line is meant more than what the environment happens to hold.
  const bool named = values.has("--context");
  const auto from_env = named ? std::string() : io.variable("SLIPWAY_SERVER");
  Connection out;
  out.server = without_slash(first_of(first_of(values.get("--server"), from_env), context->server));
  if (out.server.empty()) out.server = kDefaultServer;
  if (!out.server.starts_with("http://") && !out.server.starts_with("https://"))
    return fail(Errc::InvalidArgument,
                fmt::format("server '{}' is not an http or https URL", out.server));
  auto token_file = first_of(values.get("--token-file"),
                             named ? std::string() : io.variable("SLIPWAY_TOKEN_FILE"));
  if (token_file.empty() && out.server == without_slash(context->server))
    token_file = context->token_file;
  if (token_file.empty()) return out;
  auto token = read_token(token_file);
  if (!token) return fail(token.error());
  out.token = std::move(*token);
  return out;
}

}  // namespace slipway::app::cli
