#pragma once
// GET nodes: all of one cloud's, oldest first, without pages. A short list is one message; a long
// one goes out piece by piece, each read and rendered only when the one before is in the client's
// hands.
#include <memory>
#include <vector>

#include "api/client.hpp"
#include "api/dialects/orchestrator/wire.hpp"
#include "api/query_pool.hpp"

namespace slipway::api::orchestrator {

class NodeList final : public std::enable_shared_from_this<NodeList> {
 public:
  // The nodes of each tenant after those of the one before.
  NodeList(QueryPool& queries, const Client& client, std::vector<std::string> tenants, Cloud cloud)
      : queries_(queries),
        client_(client),
        tenants_(std::move(tenants)),
        cloud_(std::move(cloud)) {}

  void start(eventstore::Reader& reader);

 private:
  static constexpr std::size_t kRows = 200;  // of some 300 bytes each: a piece of about 64 KiB
  // Reads and renders the next piece; false when the read model cannot be asked.
  bool render(eventstore::Reader& reader);
  void send_next(eventstore::Reader& reader);

  QueryPool& queries_;
  const Client client_;
  const std::vector<std::string> tenants_;
  const Cloud cloud_;
  std::size_t at_ = 0;  // in tenants_
  eventstore::ListScan scan_;
  bool first_ = true;
  bool done_ = false;
  std::string piece_;
  Stream stream_;
};

}  // namespace slipway::api::orchestrator
