#pragma once
// Opens the backend of a [[backends]] table: reads its secrets, and calls no cloud yet.
#include <memory>

#include "app/config.hpp"
#include "core/base/result.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::app {

using OpenedBackend = base::Result<std::unique_ptr<workers::Backend>>;

OpenedBackend open_openstack(const BackendTable& table);
OpenedBackend open_libvirt(const BackendTable& table);

}  // namespace slipway::app
