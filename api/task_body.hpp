#pragma once
// The task as the core API shows it, the same wherever one is shown.
#include <optional>

#include "core/base/json_write.hpp"
#include "core/domain/work.hpp"
#include "eventstore/live_progress.hpp"
#include "eventstore/rows.hpp"

namespace slipway::api {

// `live`: how far a running task is, where that is newer than what the log has; may be null.
void write_task(base::JsonWriter& w, const eventstore::TaskRow& task,
                const eventstore::LiveProgress* live = nullptr);
std::string task_body(const eventstore::TaskRow& task,
                      const eventstore::LiveProgress* live = nullptr);

// Of things that have a page of their own: "/core/v1/vms/<id>"; empty for others.
std::string href_of(domain::StreamKind kind, const base::Uuid& id);

}  // namespace slipway::api
