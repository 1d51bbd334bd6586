#pragma once
// What is decided about clouds and nodes: a further cloud, to whom a VM is given, and what a cloud
// with a face decides of a VM that is made there. Syntax has been parsed.
#include "core/domain/cloud_face.hpp"
#include "core/domain/decide.hpp"
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const AssignVm& c);
base::Status decide_on(Draft& draft, const Command& command, const ReleaseVm& c);
base::Status decide_on(Draft& draft, const Command& command, const RegisterBackend& c);

// nullptr for one without.
const CloudFace* face_of(const World& world, std::string_view backend);

// A flavor as that cloud has it: one with a face has its own sizes and no others. nullopt: unknown.
std::optional<Size> size_on(const World& world, std::string_view backend, std::string_view flavor);
// Whether the cloud has an image of its own that is known so, which is nobody's aggregate.
bool has_own_image(const World& world, std::string_view backend, std::string_view image);

// Gives a VM the cloud's next number, and with it its name and address, whatever name was asked
// for. Nothing for a cloud without a face.
base::Status give_number(Draft& draft, VmSpec& spec);

}  // namespace slipway::domain
