#pragma once
// GET /virtual_machines: all of them, newest first, without pages. A short list is one message; a
// long one goes out piece by piece, each read and rendered only when the one before is in the
// client's hands, so a slow reader holds neither a thread nor the list in memory.
#include "api/dialects/vmfront/wire.hpp"
#include "api/query_pool.hpp"

namespace slipway::api::vmfront {

class ServerList final : public std::enable_shared_from_this<ServerList> {
 public:
  ServerList(QueryPool& queries, const Client& client, eventstore::Scope scope,
             ServerContext context)
      : queries_(queries),
        client_(client),
        scope_(std::move(scope)),
        context_(std::move(context)),
        writer_(piece_) {}

  void start();

 private:
  static constexpr std::size_t kRows = 48;  // of some 1.4 KB each: a piece of about 64 KiB
  // Reads and renders the next piece; false when the read model cannot be asked.
  bool render(eventstore::Reader& reader);
  bool read_networks(eventstore::Reader& reader);
  void send_first(eventstore::Reader& reader);
  void send_next(eventstore::Reader& reader);

  QueryPool& queries_;
  const Client client_;
  const eventstore::Scope scope_;
  ServerContext context_;
  std::string piece_;
  Writer writer_;
  std::optional<domain::Seq> after_;
  bool done_ = false;
  Stream stream_;
};

}  // namespace slipway::api::vmfront
