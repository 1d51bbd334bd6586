#include "api/dialects/orchestrator/node_list.hpp"

#include <memory>
#include <utility>

namespace slipway::api::orchestrator {
namespace {

constexpr std::size_t kRows = 200;  // of some 300 bytes each: a piece of about 64 KiB

class NodeList {
 public:
  NodeList(std::vector<std::string> tenants, Cloud cloud)
      : tenants_(std::move(tenants)), cloud_(std::move(cloud)) {}

  base::Result<bool> next(eventstore::Reader& reader, std::string& piece) {
    if (!std::exchange(begun_, true)) piece = R"({"nodes":[)";
    eventstore::VmFilter filter{.backend = cloud_.name};
    filter.numbered = cloud_.face != nullptr;
    std::size_t rows = 0;
    const auto write = [&](const eventstore::VmRow& vm) {
      base::JsonWriter w;
      write_node(w, cloud_, vm.id, vm.spec, vm.state);
      if (!std::exchange(first_, false)) piece += ',';
      piece += w.view();
      ++rows;
    };
    while (rows < kRows && at_ < tenants_.size()) {
      const auto scope = eventstore::Scope::tenant(tenants_[at_]);
      if (auto status = reader.scan_vms(scope, filter, scan_, kRows - rows, write); !status) {
        return base::fail(status.error());
      }
      if (!scan_.done) continue;
      ++at_;
      scan_ = {};
    }
    if (at_ < tenants_.size()) return true;
    piece += R"(],"status":"ok"})";
    return false;
  }

 private:
  const std::vector<std::string> tenants_;
  const Cloud cloud_;
  std::size_t at_ = 0;  // in tenants_
  eventstore::ListScan scan_;
  bool begun_ = false;
  bool first_ = true;
};

}  // namespace

void answer_nodes(QueryPool& queries, const Client& client, std::vector<std::string> tenants,
                  Cloud cloud, eventstore::Reader& reader) {
  answer_in_pieces(
      queries, client, Response(200, "", kType),
      [list = std::make_shared<NodeList>(std::move(tenants), std::move(cloud))](
          eventstore::Reader& from, std::string& piece) { return list->next(from, piece); },
      reader);
}

}  // namespace slipway::api::orchestrator
