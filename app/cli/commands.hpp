#pragma once
// The groups of commands, each adding its own to the table.
#include "app/cli/command.hpp"

namespace slipway::app::cli {

void add_task_commands(CommandTable& table);     // task ...
void add_vm_commands(CommandTable& table);       // vm ...
void add_batch_commands(CommandTable& table);    // batch submit
void add_service_commands(CommandTable& table);  // queue, worker, image, flavor, network, host
void add_stats_commands(CommandTable& table);    // stats vms
void add_token_commands(CommandTable& table);    // token ...
void add_context_commands(CommandTable& table);  // config context ...
void add_self_commands(CommandTable& table);     // completion, man, version

}  // namespace slipway::app::cli
