#include "core/domain/record.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/domain/story.hpp"

// The stored form of every event: golden files are kept for ever, so that what was once written can
// always be read. SLIPWAY_REWRITE_GOLDEN=1 rewrites them; review the diff.
namespace slipway::domain::testing {
namespace {

// Fills every field with something that is not its default, and different from field to field.
class Filler {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    fill(name, value);
  }
  template <class T>
  void fill(const std::string& name, T& value) {
    ++n_;
    if constexpr (std::is_same_v<T, bool>) {
      value = true;
    } else if constexpr (base::NamedEnum<T>) {
      value = static_cast<T>(1);
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(n_);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = name + " \"\xC3\xA4\" " + std::to_string(n_);
    } else if constexpr (std::is_same_v<T, base::RawJson>) {
      value.text = R"({"n":)" + std::to_string(n_) + "}";
    } else if constexpr (std::is_same_v<T, base::Time>) {
      value = kStart + base::Duration(n_);
    } else if constexpr (std::is_same_v<T, base::Duration>) {
      value = base::Duration(n_);
    } else if constexpr (std::is_base_of_v<base::Uuid, T>) {
      value = T(id<TaskId>(n_));
    } else if constexpr (base::detail::IsOptional<T>::value) {
      fill(name, value.emplace());
    } else if constexpr (base::detail::IsVector<T>::value) {
      fill(name, value.emplace_back());
      fill(name, value.emplace_back());
    } else if constexpr (base::detail::IsMap<T>::value) {
      fill(name, value["key"]);
    } else {
      T::fields(value, *this);
    }
  }

 private:
  std::uint64_t n_ = 0;
};

template <class E>
RecordBody record_of() {
  RecordBody record;
  Filler envelope;
  Envelope::fields(record.envelope, envelope);
  E event;
  Filler filler;
  E::fields(event, filler);
  record.events.push_back({StreamId(StreamKind::Task, task(1)), 7, std::move(event)});
  return record;
}

std::string encoded(const RecordBody& record) {
  base::JsonWriter scratch;
  std::string out;
  encode_record(record, scratch, out);
  return out;
}

std::string golden(std::string_view type, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(SLIPWAY_SOURCE_DIR) /
                                     "tests/golden/events" / (std::string(type) + ".json");
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  std::stringstream stored;
  stored << std::ifstream(file).rdbuf();
  std::string out = stored.str();
  if (!out.empty()) out.pop_back();
  return out;
}

template <class E>
void check_event() {
  SCOPED_TRACE(E::kType);
  const RecordBody record = record_of<E>();
  const std::string text = encoded(record);
  const std::string stored = golden(E::kType, text);
  EXPECT_EQ(text, stored) << "the stored form has changed";
  base::JsonParser parser;
  const auto read = decode_record(stored, parser);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(std::get<E>(read->events.at(0).body), std::get<E>(record.events[0].body));
  EXPECT_EQ(encoded(*read), text);
}

template <class... E>
void check_all(std::variant<E...>*) {
  (check_event<E>(), ...);
}

TEST(Record, G3_8_EveryEventReadsAsItWasWritten) { check_all(static_cast<EventBody*>(nullptr)); }

TEST(Record, AnUnknownEventStopsTheReader) {
  std::string text = encoded(record_of<TaskReady>());
  text.replace(text.find("TaskReady"), 9, "TaskReads");
  base::JsonParser parser;
  EXPECT_FALSE(decode_record(text, parser).has_value());
}

TEST(Record, UnknownMembersArePassedOver) {
  std::string text = encoded(record_of<TaskReady>());
  text.replace(text.find("\"reason\""), 8, "\"new\":{},\"reason\"");
  base::JsonParser parser;
  const auto read = decode_record(text, parser);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<TaskReady>(read->events[0].body),
            std::get<TaskReady>(record_of<TaskReady>().events[0].body));
}

TEST(Record, BadDataIsAnError) {
  base::JsonParser parser;
  for (const char* bad :
       {"{}", "[]", R"({"events":1})", R"({"events":[{}]})",
        R"({"events":[{"stream":"x","type":"TaskReady","data":{}}]})",
        R"({"events":[{"stream":"task-1","type":"TaskReady"}]})", R"({"epoch":-1,"events":[]})"}) {
    EXPECT_FALSE(decode_record(bad, parser).has_value()) << bad;
  }
}

// ---- snapshots ----

Story busy() {
  Story s;
  s.running_vm(1).running_vm(2);
  s.given(act(3, CommandKind::VmStop, 1)).when_leased(3);
  ActOnVm move;
  move.kind = CommandKind::VmMigrate;
  move.vm = vm(2);
  s.given(act(4, move)).when_leased(4).when_lease_ends(4);
  std::vector<BatchItem> items;
  for (std::uint64_t n = 10; n <= 12; ++n) items.push_back({task(n), create_body(n)});
  s.given(batch(20, items));
  Command waits = create(21);
  waits.depends_on = {task(10), task(20)};
  waits.not_before = kStart + 1h;
  s.given(waits).given(cancel(11)).when_leased(12).given(cancel(12));
  return s;
}

TEST(Snapshot, G3_10_OfAWorldIsTheReplayedWorld) {
  const Story s = busy();
  World replayed;
  base::JsonParser parser;
  for (const RecordBody& record : s.log) {
    const auto read = decode_record(encoded(record), parser);
    ASSERT_TRUE(read.has_value());
    replayed.evolve(*read);
  }
  EXPECT_EQ(replayed.dump_for_test(), s.world.dump_for_test());
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
}

TEST(Snapshot, ACutPieceIsAnError) {
  const Story s = busy();
  (void)s.world.write_snapshot([](std::string_view piece) {
    for (std::size_t cut = 1; cut < std::min<std::size_t>(piece.size(), 200); ++cut) {
      World w;
      (void)w.read_snapshot_piece(piece.substr(0, piece.size() - cut));
    }
    World w;
    EXPECT_FALSE(w.read_snapshot_piece(piece.substr(0, piece.size() - 1)).has_value());
    return true;
  });
  World w;
  EXPECT_FALSE(w.read_snapshot_piece("").has_value());
  EXPECT_FALSE(w.read_snapshot_piece("\x7F").has_value());
}

// Change this number together with World's fields: it makes old snapshots be passed over.
TEST(Snapshot, TheLayoutDigestIsThatOfTheFields) {
  EXPECT_EQ(World::layout_digest(), World::layout_digest());
  base::LayoutDigest one;
  base::LayoutDigest two;
  Vm vm_fields;
  Task task_fields;
  one.add(vm_fields);
  two.add(vm_fields);
  two.add(task_fields);
  EXPECT_NE(one.digest(), two.digest());
}

}  // namespace
}  // namespace slipway::domain::testing
