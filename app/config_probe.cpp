#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/backends_config.hpp"
#include "app/config_keys.hpp"
#include "app/config_rules.hpp"
#include "app/config_show.hpp"
#include "app/secret_file.hpp"

namespace slipway::app {
namespace {

// Why a directory could not be used; empty if it could. What is not there yet would be made, so the
// nearest that is counts.
std::string directory_problem(const std::string& path) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(path, error);
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  if (!std::filesystem::is_directory(at, error))
    return fmt::format("{} is no directory", at.string());
  if (::access(at.c_str(), W_OK | X_OK) == 0) return {};
  return fmt::format("{} cannot be written: {}", at.string(), std::strerror(errno));
}

std::string address_problem(const std::string& address) {
  auto [host, port] = split_address(address);
  if (host == "*") host = "0.0.0.0";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int rc = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (rc != 0) return fmt::format("{} does not resolve: {}", address, ::gai_strerror(rc));
  ::freeaddrinfo(found);
  return {};
}

std::string secret_problem(const SecretFile& file) {
  const auto read = read_secret(file);
  return read ? std::string() : read.error().message;
}

std::string file_problem(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return {};
  return fmt::format("{} cannot be read: {}", path, std::strerror(errno));
}

bool is_address(const Key& key) {
  return key.member().ends_with("listen") || key.name == "worker.server";
}

std::string problem_of(const Key& key, const ValueRef& ref) {
  if (const auto* secret = std::get_if<SecretFile*>(&ref)) {
    return (*secret)->empty() ? std::string() : secret_problem(**secret);
  }
  const auto* text = std::get_if<std::string*>(&ref);
  if (text == nullptr || (*text)->empty()) return {};
  if (is_address(key)) return address_problem(**text);
  if (key.name == "server.data_dir") return directory_problem(**text);
  return key.name == "broker.workers_file" ? file_problem(**text) : std::string();
}

}  // namespace

std::vector<ConfigError> probe_config(const LoadedConfig& loaded) {
  std::vector<ConfigError> errors;
  for (const auto& key : config_keys()) {
    const auto problem = problem_of(key, ref_of(key, loaded.config));
    if (problem.empty()) continue;
    const auto origin = loaded.origins.find(std::string(key.name));
    errors.push_back({origin == loaded.origins.end() ? Origin{} : origin->second,
                      fmt::format("{}: {}", key.name, problem)});
  }
  for (const auto& [key, path, secret] : backend_files(loaded.config)) {
    const auto problem = secret ? secret_problem({path}) : file_problem(path);
    if (!problem.empty()) {
      errors.push_back({loaded.origins.at(key), fmt::format("{}: {}", key, problem)});
    }
  }
  return errors;
}

}  // namespace slipway::app
