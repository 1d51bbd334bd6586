#include <map>
#include <unordered_map>
#include <utility>

#include "workers/backends/simulated/store.hpp"

namespace slipway::workers::simulated {
namespace {

class MemoryStore final : public Store {
 public:
  void begin() override {}
  void commit() override {}

  std::optional<VmRow> vm(std::int64_t number) override { return find(vms_, number); }
  void put(const VmRow& row) override { vms_[row.number] = row; }
  void erase_vm(std::int64_t number) override {
    vms_.erase(number);
    configs_.erase(number);
    std::erase_if(snapshots_, [&](const auto& item) { return item.first.first == number; });
  }

  VmConfig config(std::int64_t vm) override { return find(configs_, vm).value_or(VmConfig{}); }
  void put(std::int64_t vm, const VmConfig& config) override { configs_[vm] = config; }

  std::optional<SnapshotRow> snapshot(std::int64_t vm, const std::string& name) override {
    return find(snapshots_, std::pair(vm, name));
  }
  void put(const SnapshotRow& row) override { snapshots_[{row.vm, row.snapshot.name}] = row; }
  void erase_snapshot(std::int64_t vm, const std::string& name) override {
    snapshots_.erase({vm, name});
  }

  std::optional<ImageRow> image(std::int64_t number) override { return find(images_, number); }
  void put(const ImageRow& row) override { images_[row.number] = row; }
  void erase_image(std::int64_t number) override { images_.erase(number); }

  void keys(const domain::TaskId& root, std::vector<KeyRow>& out) override {
    out.clear();
    const auto found = keys_.find(root);
    if (found != keys_.end()) out = found->second;
  }
  void put(const domain::TaskId& root, const KeyRow& row) override {
    for (KeyRow& known : keys_[root]) {
      if (known.operation != row.operation) continue;
      known = row;
      return;
    }
    keys_[root].push_back(row);
  }

  void append(const LedgerRow& row) override { ledger_.push_back(row); }

  Totals totals() override { return totals_; }
  void put(const Totals& totals) override { totals_ = totals; }

  std::vector<VmRow> vms_after(std::int64_t number, std::size_t at_most) override {
    std::vector<VmRow> rows;
    for (auto it = vms_.upper_bound(number); it != vms_.end() && rows.size() < at_most; ++it) {
      rows.push_back(it->second);
    }
    return rows;
  }

  void each_vm(const std::function<void(const VmRow&)>& see) override { each(vms_, see); }
  void each_snapshot(const std::function<void(const SnapshotRow&)>& see) override {
    each(snapshots_, see);
  }
  void each_image(const std::function<void(const ImageRow&)>& see) override { each(images_, see); }
  void each_ledger(const std::function<void(const LedgerRow&)>& see) override {
    for (const LedgerRow& row : ledger_) see(row);
  }

 private:
  template <class Map, class Key>
  static std::optional<typename Map::mapped_type> find(const Map& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
  }
  template <class Map, class See>
  static void each(const Map& map, const See& see) {
    for (const auto& [key, row] : map) see(row);
  }

  std::map<std::int64_t, VmRow> vms_;
  std::map<std::int64_t, VmConfig> configs_;
  std::map<std::pair<std::int64_t, std::string>, SnapshotRow> snapshots_;
  std::map<std::int64_t, ImageRow> images_;
  std::unordered_map<domain::TaskId, std::vector<KeyRow>> keys_;
  std::vector<LedgerRow> ledger_;
  Totals totals_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace slipway::workers::simulated
