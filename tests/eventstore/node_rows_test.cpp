// The read side of numbered nodes and of assignments.
#include <gmock/gmock.h>

#include "eventstore/projector_core.hpp"
#include "eventstore/read_models.hpp"
#include "history.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore {
namespace {

using domain::VmId;
using testing::Recorder;

class NodeRows : public ::testing::Test {
 protected:
  NodeRows() {
    ProjectorCore::Options options;
    options.directory = dir_.path();
    core_ = std::move(*ProjectorCore::open(options, "log"));
  }
  VmId node(std::uint64_t number, const std::string& backend = "fake_driver") {
    const VmId id(r.new_id());
    domain::VmRequested requested;
    requested.spec.name = "dummy-" + std::to_string(number);
    requested.spec.project = r.tenant;
    requested.spec.backend = backend;
    if (number != 0) requested.spec.number = number;
    r.record({{domain::StreamId(domain::StreamKind::Vm, id), requested},
              {domain::StreamId(domain::StreamKind::Vm, id), domain::VmLaunched{"sim-1"}}});
    return id;
  }
  Reader& read() {
    const auto status = core_->apply(std::vector{r.take()});
    EXPECT_TRUE(status) << status.error().message;
    if (!reader_) reader_ = std::move(*ReadModels({.directory = dir_.path()}).open_reader());
    return *reader_;
  }
  std::vector<std::uint64_t> numbers(Reader& reader, const VmFilter& filter) {
    std::vector<std::uint64_t> out;
    const auto page = reader.list_vms(Scope::tenant("demo"), filter, {.ascending = true});
    EXPECT_TRUE(page) << reader.last_error();
    for (const VmRow& row : page->items) out.push_back(row.spec.number.value_or(0));
    return out;
  }
  Recorder r;

 private:
  testing::TempDir dir_;
  std::unique_ptr<ProjectorCore> core_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(NodeRows, AreFoundByTheirCloudAndNumber) {
  node(0, "simulated");
  node(3);
  const VmId gone = node(4);
  node(5);
  r.tenant = "other";
  node(6);
  r.tenant = "demo";
  r.vm(gone, domain::VmDeleted{});
  Reader& reader = read();
  EXPECT_THAT(numbers(reader, {.backend = "fake_driver", .numbered = true}),
              ::testing::ElementsAre(3, 5));
  EXPECT_THAT(numbers(reader, {.backend = "fake_driver", .number = 5}), ::testing::ElementsAre(5));
  for (const std::uint64_t number : {4U, 6U, 7U}) {
    EXPECT_THAT(numbers(reader, {.backend = "fake_driver", .number = number}),
                ::testing::IsEmpty());
  }
  EXPECT_THAT(numbers(reader, {.name = "dummy-3", .backend = "fake_driver", .numbered = true}),
              ::testing::ElementsAre(3));
  EXPECT_THAT(numbers(reader, {.backend = "simulated"}), ::testing::ElementsAre(0));
}

TEST_F(NodeRows, AnAssignmentLastsUntilItsEndOrItsVms) {
  const VmId one = node(1);
  const VmId two = node(2);
  r.vm(one, domain::VmAssigned{1, "ada", "app"});
  r.vm(two, domain::VmAssigned{2, "bob", "db"});
  Reader& reader = read();
  const Scope demo = Scope::tenant("demo");
  const auto found = reader.get_assignment(demo, one);
  ASSERT_TRUE(found && found->value);
  EXPECT_EQ(found->value->assignment, (domain::Assignment{one, 1, "ada", "app"}));
  EXPECT_FALSE(reader.get_assignment(Scope::tenant("other"), one)->value);
  EXPECT_EQ(reader.list_assignments(demo, {})->items.size(), 2U);
  // The VM's own version counts it.
  EXPECT_EQ(reader.get_vm(demo, one)->value->version, 3U);

  r.vm(one, domain::VmReleased{});
  r.vm(two, domain::VmDeleted{});
  read();
  EXPECT_EQ(reader.list_assignments(demo, {})->items.size(), 0U);
  EXPECT_EQ(reader.get_vm(demo, one)->value->version, 4U);
}

}  // namespace
}  // namespace slipway::eventstore
