#include "api/dialects/vmfront/server_list.hpp"

#include <memory>

namespace slipway::api::vmfront {
namespace {

constexpr std::size_t kRows = 48;  // of some 1.4 KB each: a piece of about 64 KiB

class ServerList {
 public:
  ServerList(eventstore::Scope scope, ServerContext context)
      : scope_(std::move(scope)), context_(std::move(context)) {}

  base::Result<bool> next(eventstore::Reader& reader, std::string& piece) {
    if (!begun_) {
      if (auto status = begin(reader); !status) return base::fail(status.error());
    }
    const auto page = reader.list_vms(scope_, {}, {.limit = kRows, .after = after_});
    if (!page) return base::fail(page.error());
    for (const auto& row : page->items) write_server(writer_, row, context_);
    after_ = page->next;
    if (!after_) writer_.close(']').close('}');
    piece.swap(text_);
    return after_.has_value();
  }

 private:
  base::Status begin(eventstore::Reader& reader) {
    const auto networks = reader.list_networks(scope_, {.limit = 500, .ascending = true});
    if (!networks) return base::fail(networks.error());
    for (const auto& row : networks->items) context_.networks[row.network.id] = row.network.name;
    writer_.open('{').key("servers").open('[');
    begun_ = true;
    return {};
  }

  const eventstore::Scope scope_;
  ServerContext context_;
  std::string text_;
  Writer writer_{text_};
  std::optional<domain::Seq> after_;
  bool begun_ = false;
};

}  // namespace

void answer_servers(QueryPool& queries, const Client& client, eventstore::Scope scope,
                    ServerContext context) {
  answer_in_pieces(
      queries, client, Response(200, "", kType),
      [list = std::make_shared<ServerList>(std::move(scope), std::move(context))](
          eventstore::Reader& reader, std::string& piece) { return list->next(reader, piece); });
}

}  // namespace slipway::api::vmfront
