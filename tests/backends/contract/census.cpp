#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {
namespace {

template <class Item>
const Item* find_key(const std::vector<Item>& items, const std::string& key) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Item& i) { return i.key == key; });
  return found == items.end() ? nullptr : &*found;
}

std::string kept_or_new(bool kept) { return kept ? "kept" : "new"; }

std::string describe(const CountedVm& vm, const std::vector<CountedVm>& before) {
  const CountedVm* known = find_key(before, vm.key);
  const std::string which = known == nullptr ? "new vm" : fmt::format("vm {}", known - &before[0]);
  const std::string ref = known == nullptr ? "" : kept_or_new(known->ref == vm.ref);
  const std::string host = known == nullptr ? "" : known->host == vm.host ? "stayed" : "moved";
  std::vector<std::string> snapshots = vm.snapshots;
  std::sort(snapshots.begin(), snapshots.end());
  return fmt::format("{} {} '{}' {} {} {}x{} image {} media {} snapshots [{}] {}\n", which, ref,
                     vm.name, vm.state, host, vm.vcpus, vm.memory_mb, vm.image, vm.media,
                     fmt::join(snapshots, ","), vm.rest);
}

template <class Item>
void find_doubles(const std::vector<Item>& items, std::string_view what,
                  std::vector<std::string>& out) {
  std::set<std::string> seen;
  for (const Item& item : items) {
    if (!seen.insert(item.key).second) {
      out.push_back(fmt::format("two {}s of {}, one of them {}", what, item.key, item.ref));
    }
  }
}

}  // namespace

std::vector<std::string> faults_of(const Census& census) {
  std::vector<std::string> out;
  find_doubles(census.vms, "VM", out);
  find_doubles(census.images, "image", out);
  for (const std::string& part : census.parts) out.push_back("without a VM: " + part);
  return out;
}

std::string describe(const Census& census, const Census& before) {
  std::vector<std::string> lines;
  for (const CountedVm& vm : census.vms) lines.push_back(describe(vm, before.vms));
  for (const CountedImage& image : census.images) {
    lines.push_back(kept_or_new(find_key(before.images, image.key) != nullptr) + " image\n");
  }
  for (const std::string& part : census.parts) lines.push_back("part " + part + "\n");
  if (census.foreign != before.foreign) lines.push_back("what is not ours was touched\n");
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, ""));
}

}  // namespace slipway::workers::contract
