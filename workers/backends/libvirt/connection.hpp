#pragma once
// The connections to one cell. Any thread. A connection that broke never comes back, so the next
// call opens another; one that is being opened to a daemon that does not answer is waited for with
// a limit, and no second one is begun meanwhile.
#include <future>
#include <string>

#include "core/base/mutex.hpp"
#include "workers/backends/libvirt/handles.hpp"
#include "workers/backends/libvirt/libvirt_backend.hpp"

namespace slipway::workers::libvirt {

// libvirt's set-up for the process: threads, its event loop, no SIGPIPE, no errors on stderr.
void start_library();

class Cell {
 public:
  Cell(CellOptions options, base::Duration connect_timeout, std::uint32_t keepalive_seconds);

  const CellOptions& options() const { return options_; }
  const std::string& name() const { return options_.name; }

  // Throws CallFailed (BackendUnavailable, without effect) if the cell cannot be reached.
  Connection connection();
  // One of its own, for a call that takes long: it is closed with the last reference.
  Connection separate_connection();
  // The name that the daemon gives itself, once connected.
  std::string host_name();

 private:
  using Opening = std::shared_future<Connection>;
  Opening begin_opening() const;
  Connection wait_for(const Opening& opening);

  const CellOptions options_;
  const base::Duration connect_timeout_;
  const std::uint32_t keepalive_seconds_;
  base::Mutex mu_;
  Connection open_ GUARDED_BY(mu_);
  Opening opening_ GUARDED_BY(mu_);
};

}  // namespace slipway::workers::libvirt
