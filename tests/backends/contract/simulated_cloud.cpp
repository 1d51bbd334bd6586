#include "tests/backends/contract/simulated_cloud.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "core/base/fields.hpp"
#include "tests/workers/support.hpp"

namespace slipway::workers::contract {

using namespace simulated;             // NOLINT: tests
using namespace std::chrono_literals;  // NOLINT: tests

namespace {

// In memory where there is such a folder: what is tested is not the disk.
std::filesystem::path make_folder() {
  const std::filesystem::path memory = "/dev/shm";
  const bool there = std::filesystem::is_directory(memory);
  std::string name =
      ((there ? memory : std::filesystem::temp_directory_path()) / "slipway-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

std::unique_ptr<Store> open_store(const std::filesystem::path& folder) {
  auto store = open_sqlite_store((folder / "cloud.db").string());
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

std::string rest_of(const VmRow& row, const VmConfig& config) {
  VmConfig compared = config;
  compared.media = {};
  compared.shrinks = 0;  // one more each time that somebody asks for one
  base::JsonWriter json;
  base::write_json(json, compared);
  const std::string resizing = row.old_size ? ", resize open" : "";
  return fmt::format("{} GB, {} reboots{} {}", row.size.disk_gb, row.reboots, resizing,
                     json.text());
}

}  // namespace

SimulatedCloud::SimulatedCloud(Face face, bool forgetful) : face_(face), forgetful_(forgetful) {
  folder_ = make_folder();
  witness_ = open_store(folder_);
  add_foreign_vm();
}

SimulatedCloud::~SimulatedCloud() {
  witness_.reset();
  std::filesystem::remove_all(folder_);
}

Offer SimulatedCloud::offer() const {
  Offer offer;
  offer.small = {"m1.small", 1, 2048, 20};
  offer.large = {"m1.large", 4, 8192, 80};
  offer.image = test::id<domain::ImageId>(1);
  offer.other_image = test::id<domain::ImageId>(2);
  offer.media = test::id<domain::ImageId>(3);
  offer.image_ref = base::to_string(offer.image);
  offer.other_image_ref = base::to_string(offer.other_image);
  offer.media_ref = base::to_string(offer.media);
  offer.host = "sim-1";
  offer.other_host = "sim-2";
  offer.ipv4 = 0x0A000001;
  return offer;
}

// Launching, migrating and saving take a little, so that the steps that wait do.
Options SimulatedCloud::options() const {
  Options options = Options::without_latency();
  options.create = options.migrate = options.image = {face_ == Face::Inline ? 500ms : 5ms, 0};
  options.change = {face_ == Face::Inline ? 50ms : 1ms, 0};
  options.call_timeout = face_ == Face::Inline ? 10s : 2s;
  options.forgetful = forgetful_;
  return options;
}

std::unique_ptr<Backend> SimulatedCloud::connect() {
  if (face_ == Face::Inline) return std::make_unique<InlineBackend>(options(), open_store(folder_));
  return std::make_unique<SimulatedBackend>(options(), open_store(folder_), clock_);
}

Census SimulatedCloud::census() {
  Census census;
  witness_->each_vm([&](const VmRow& row) {
    if (row.installation != installation_) {
      ++census.foreign;
      return;
    }
    const VmConfig config = witness_->config(row.number);
    census.vms.push_back({.key = domain::correlation_key(row.root, "vm.create"),
                          .ref = fmt::format("sim-{}", row.number),
                          .name = row.name,
                          .state = std::string(base::enum_name(row.state)),
                          .host = row.host,
                          .vcpus = row.size.vcpus,
                          .memory_mb = row.size.memory_mb,
                          .image = base::to_string(row.image),
                          .media = config.media.is_nil() ? "" : base::to_string(config.media),
                          .rest = rest_of(row, config)});
  });
  witness_->each_snapshot([&](const SnapshotRow& row) {
    for (CountedVm& vm : census.vms) {
      if (vm.ref == fmt::format("sim-{}", row.vm)) vm.snapshots.push_back(row.snapshot.name);
    }
  });
  witness_->each_image([&](const ImageRow& row) {
    if (row.installation != installation_) return;
    census.images.push_back({.key = domain::correlation_key(row.root, "image.create"),
                             .ref = fmt::format("simimg-{}", row.number)});
  });
  return census;
}

void SimulatedCloud::lose_vm(const std::string& ref) {
  witness_->begin();
  witness_->erase_vm(std::stoll(ref.substr(ref.find('-') + 1)));
  witness_->commit();
}

void SimulatedCloud::add_foreign_vm() {
  witness_->begin();
  Totals totals = witness_->totals();
  VmRow row;
  row.number = ++totals.last_number;
  row.name = "somebody's";
  row.host = "sim-1";
  ++totals.vms;
  witness_->put(row);
  witness_->put(totals);
  witness_->commit();
}

std::uint64_t SimulatedCloud::made_by(const domain::TaskId& task) {
  std::uint64_t made = 0;
  witness_->each_ledger([&](const LedgerRow& row) {
    const bool create = row.operation == Operation::VmCreate && row.outcome == Outcome::Done;
    made += create && row.task == task ? 1U : 0U;
  });
  return made;
}

}  // namespace slipway::workers::contract
