#pragma once
// How perspective writes things: JSON, times as ISO with offset and zone, errors as plain text.
#include "api/edge/problem.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api::perspective {

inline constexpr ContentType kType = "application/json";

Response render_error(const ErrorInfo& info);
Response not_found(std::string_view what, std::string_view id);  // "Instance with id = X not found"
// What every bulk call answers: 200, no body, and yet a type.
Response empty_answer();
void make_empty(Response& response);

std::string time(base::Time t);  // 2016-12-20T16:58:56+00:00[UTC]

// What an instance's or an image's body needs beside its row.
struct Context {
  std::string project_id;  // of the instance's tenant
  std::string cloud_type;
  std::vector<eventstore::ProjectRow> projects;  // that the asker sees
};
// `network` may be null, the others too where the thing is gone.
void write_instance(base::JsonWriter& w, const eventstore::VmRow& vm,
                    const eventstore::FlavorRow* flavor, const eventstore::ImageRow* image,
                    const eventstore::NetworkRow* network, const Context& context);
void write_image(base::JsonWriter& w, const eventstore::ImageRow& row, const Context& context);

}  // namespace slipway::api::perspective
