#include "workers/backends/libvirt/libvirt_backend.hpp"

#include <fmt/format.h>

#include <set>

#include "workers/backends/blocking_backend.hpp"
#include "workers/backends/libvirt/client.hpp"

namespace slipway::workers::libvirt {

using base::Errc;
using base::fail;

namespace {

base::Status check(const Options& options) {
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::InvalidArgument, fmt::format("libvirt backend '{}': {}", options.name, what));
  };
  if (options.cells.empty()) return wrong("it has no cells");
  std::set<std::string> names;
  for (const CellOptions& cell : options.cells) {
    if (cell.name.empty() || cell.uri.empty()) return wrong("a cell needs a name and a URI");
    if (!names.insert(cell.name).second) return wrong("two cells have one name");
    if (cell.max_calls == 0) return wrong("a cell must be allowed a call at a time");
  }
  if (options.hot_vcpus == 0 || options.hot_memory == 0) return wrong("room to grow is 1 or more");
  if (options.network.prefix > 32) return wrong("a prefix is 32 at most");
  if (options.direct_boot && options.direct_boot->kernel.empty())
    return wrong("no kernel is named");
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Backend>> LibvirtBackend::open(Options options) {
  if (auto status = check(options); !status) return fail(status.error());
  BlockingBackend::Options blocking{.name = options.name,
                                    .lanes = {},
                                    .call_timeout = options.call_timeout,
                                    .settle_time = options.settle_time};
  for (const CellOptions& cell : options.cells) {
    blocking.lanes.push_back({cell.name, cell.max_calls});
  }
  return std::make_unique<BlockingBackend>(std::move(blocking),
                                           std::make_shared<Client>(std::move(options)));
}

}  // namespace slipway::workers::libvirt
