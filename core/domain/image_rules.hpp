#pragma once
// Decisions on images whose bytes the server keeps itself; those that a worker carries out are in
// decide.cpp and vm_rules.cpp.
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const RegisterImage& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateImage& c);
base::Status decide_on(Draft& draft, const Command& command, const StoreImage& c);
base::Status decide_on(Draft& draft, const Command& command, const SyncImages& c);

// No backend knows of it: it goes without a worker.
bool is_kept_here(const LiveImage& image);

// Whether VMs of that cloud can be made of it. What the first simulated cloud has from the
// beginning, all of them have.
bool lies_on(const World& world, const LiveImage& image, std::string_view backend);

}  // namespace slipway::domain
