#pragma once
// What a fresh log is given when nobody has configured anything: the flavors, images and networks
// of dialect vmfront's specification, with its ids, on a simulated cloud that is large enough for
// every benchmark. So the specification's own requests work at the first start.
#include "core/domain/command.hpp"

namespace slipway::domain {

// The user of the specification. Whoever submits the command hashes the password (argon2id), seals
// the hash under kDemoPasswordRef for tenant kDemoProject and puts it into the same submission.
inline constexpr std::string_view kDemoUser = "demo";
inline constexpr std::string_view kDemoPassword = "test";
inline constexpr std::string_view kDemoProject = "demo";
inline constexpr std::string_view kDemoPasswordRef = "user-demo-password";

// `demo`: with project, user and password reference as well; else the catalogue alone. `simulated`:
// with that cloud, its hosts, images and networks; else the first one that is registered is the
// cloud of whoever names none, and its own images and networks become known when it is first
// listed.
InitializeSystem demo_catalog(std::string version, bool demo, bool simulated = true);

// The whole command, as the system asks for it.
Command initialize_command(std::string version, bool demo, const TaskId& task,
                           bool simulated = true);

// The command that makes a further cloud known, in its own name.
Command register_command(Backend backend, const TaskId& task);

}  // namespace slipway::domain
