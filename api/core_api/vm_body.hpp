#pragma once
// A VM as the core API shows it.
#include <string>
#include <vector>

#include "core/base/json_write.hpp"
#include "eventstore/rows.hpp"

namespace slipway::api {

// `snapshots`: only a single VM shows them; null in a list.
void write_vm(base::JsonWriter& w, const eventstore::VmRow& vm,
              const std::vector<eventstore::SnapshotRow>* snapshots);

}  // namespace slipway::api
