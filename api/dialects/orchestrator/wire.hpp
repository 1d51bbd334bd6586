#pragma once
// How dialect 001 writes things down: the envelope of its errors, its nodes, images and sizes.
// Member names stand in the order of the alphabet, as in the specification's samples.
#include "api/edge/problem.hpp"
#include "core/base/json_write.hpp"
#include "core/domain/cloud_face.hpp"
#include "eventstore/rows.hpp"

namespace slipway::api::orchestrator {

inline constexpr ContentType kType = "application/json";

// ---- errors ----
Response render_error(const ErrorInfo& info);
Response envelope(int status, std::string_view message);
Response wrong_verb();
Response no_such_cloud();
Response unknown_action();

// ---- clouds ----
struct Cloud {
  std::string name;
  std::string provider;  // "dummy", "simulated", "openstack", ...
  std::string title;     // "Dummy Node Provider", "Simulated Cloud", ...
  const domain::CloudFace* face = nullptr;
};
Cloud cloud_of(const domain::Backend& backend);
// Where it is, for the list of clouds.
std::string_view host_of(const domain::Backend& backend);

// ---- nodes ----
// Its number where the cloud gives numbers, else the VM's UUID.
std::string node_id(const domain::VmId& id, const domain::VmSpec& spec);
int node_state(domain::VmState state);
void write_node(base::JsonWriter& w, const Cloud& cloud, const domain::VmId& id,
                const domain::VmSpec& spec, domain::VmState state);
void write_image(base::JsonWriter& w, const Cloud& cloud, std::string_view id,
                 std::string_view name);
void write_size(base::JsonWriter& w, const Cloud& cloud, std::string_view id, std::string_view name,
                const domain::Size& size);
void write_assignment(base::JsonWriter& w, const domain::Assignment& assignment,
                      const eventstore::VmRow& vm);

// {"nodes": {...}, "status": "ok"}
std::string started_body(const Cloud& cloud, const domain::VmId& id, const domain::VmSpec& spec);
// {"result": "...", "status": "ok"}
std::string result_body(std::string_view result);
// {"id": 42, "id_vm": "...", "result": "...", "status": "ok"}
std::string assignment_body(std::uint64_t number, std::string_view node, std::string_view result);

}  // namespace slipway::api::orchestrator
