#include "workers/wire.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/base/fields.hpp"
#include "tests/workers/support.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT

std::array<std::string_view, 2> views(const Frames& frames) { return {frames.header, frames.body}; }

template <class M>
std::string json_of(const M& message) {
  base::JsonWriter writer;
  base::write_json(writer, message);
  return writer.text();
}

domain::WorkerReport full_report() {
  domain::WorkerReport report;
  report.session = id<domain::SessionId>(7);
  report.report_id = 42;
  report.epoch = 3;
  report.task = id<TaskId>(9);
  report.token = 2;
  report.steps_done.push_back({.step = "vm.create", .backend_ref = "sim-1", .adopted = true});
  report.begin = domain::StepBegin{"vm.reboot", 10s, true};
  report.progress = domain::Progress{50, "vm.create", "half"};
  report.outcome = domain::Outcome{.kind = OutcomeKind::Retry, .retry_after = 5s};
  report.asked_at_us = 123456;
  return report;
}

// Old workers and new servers meet: these bytes may only change with the version.
TEST(Wire, TheBytesOfAGoodbyeAreThese) {
  const domain::WorkerInput goodbye = domain::WorkerGoodbye{id<domain::SessionId>(7)};
  const Frames frames = WireWriter().write(goodbye, 5);
  EXPECT_EQ(frames.header, std::string("SLPW\x01\x04\0\0"
                                       "\x32\0\0\0\0\0\0\0"
                                       "\x05\0\0\0\0\0\0\0",
                                       24));
  EXPECT_EQ(frames.body, R"({"session":"00000000-0000-7000-0000-000000000007"})");
}

TEST(Wire, AReportComesBackAsItWas) {
  const domain::WorkerReport report = full_report();
  const Frames frames = WireWriter().write(domain::WorkerInput(report), 3);
  const auto back = WireReader().read_input(views(frames));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->epoch, 3U);
  EXPECT_EQ(json_of(std::get<domain::WorkerReport>(back->message)), json_of(report));
}

TEST(Wire, AnInspectionComesBackWithItsJsonAsItWas) {
  const domain::VmInspection told{id<domain::SessionId>(7), 3, "", "", {R"({"url":"https://x"})"}};
  const Frames frames = WireWriter().write(domain::WorkerInput(told), 3);
  const auto back = WireReader().read_input(views(frames));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  const auto& again = std::get<domain::VmInspection>(back->message);
  EXPECT_EQ(again.result.text, told.result.text);
  EXPECT_EQ(json_of(again), json_of(told));
}

TEST(Wire, AnOrderComesBackWithItsSecrets) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.spec.admin_secret = "sec-1";
  order.spec.user_data = "sec-2";
  Secrets secrets;
  secrets.add("sec-1", base::Secret("hunter2"));
  secrets.add("sec-2", base::Secret(std::string_view("#!\0\xff", 4)));
  const Frames frames = WireWriter().write(domain::ServerMessage(order), 1, secrets);
  EXPECT_TRUE(frames.secret);
  const auto back = WireReader().read_server_message(views(frames));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(json_of(std::get<WorkOrder>(back->message)), json_of(order));
  ASSERT_NE(back->secrets.find("sec-2"), nullptr);
  EXPECT_EQ(back->secrets.find("sec-1")->reveal(), "hunter2");
  EXPECT_EQ(back->secrets.find("sec-2")->reveal(), std::string_view("#!\0\xff", 4));
  EXPECT_EQ(back->secrets.find("sec-3"), nullptr);
  EXPECT_EQ(json_of(std::get<WorkOrder>(back->message)).find("hunter2"), std::string::npos);
}

TEST(Wire, EveryMessageOfTheServerComesBack) {
  const std::vector<domain::ServerMessage> all = {
      domain::Welcome{.epoch = 2, .heartbeat_interval = 5s, .lost = {{id<TaskId>(1), 3}}},
      order_for(CommandKind::VmMigrate, 4),
      domain::ReportAck{.report_id = 8, .granted_step = "vm.reboot"},
      domain::HeartbeatAck{.unknown_session = true, .asked_at_us = 5},
      domain::CancelLease{id<TaskId>(1), 3},
      domain::DrainWorker{"upgrade"},
      domain::InspectVm{7, "vm.stats", order_for(CommandKind::VmStart, 4)}};
  for (const auto& message : all) {
    const Frames frames = WireWriter().write(message, 2);
    const auto back = WireReader().read_server_message(views(frames));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->message.index(), message.index());
    const Frames again = WireWriter().write(back->message, 2);
    EXPECT_EQ(again.body, frames.body);
  }
}

struct Refused {
  const char* why;
  std::function<void(std::string& header, std::string& body)> spoil;
};

TEST(Wire, WhatIsNotExactlyAMessageIsRefused) {
  const std::vector<Refused> rows = {
      {"magic", [](auto& h, auto&) { h[0] = 'X'; }},
      {"version", [](auto& h, auto&) { h[4] = 2; }},
      {"type", [](auto& h, auto&) { h[5] = 99; }},
      {"a server's type", [](auto& h, auto&) { h[5] = 17; }},
      {"reserved", [](auto& h, auto&) { h[6] = 1; }},
      {"json length", [](auto& h, auto&) { ++h[8]; }},
      {"secrets length", [](auto& h, auto&) { h[12] = 1; }},
      {"secrets on a report", [](auto& h, auto& b) { h[12] = 2, b += std::string(2, '\0'); }},
      {"short header", [](auto& h, auto&) { h.pop_back(); }},
      {"long header", [](auto& h, auto&) { h += 'x'; }},
      {"cut body", [](auto&, auto& b) { b.pop_back(); }},
      {"no JSON", [](auto&, auto& b) { b[0] = '['; }},
      {"trailing bytes", [](auto& h, auto& b) { ++h[8], b += '}'; }},
  };
  for (const Refused& row : rows) {
    Frames frames = WireWriter().write(domain::WorkerInput(full_report()), 1);
    row.spoil(frames.header, frames.body);
    EXPECT_FALSE(WireReader().read_input(views(frames)).has_value()) << row.why;
  }
  const std::array<std::string_view, 1> one = {"x"};
  EXPECT_FALSE(WireReader().read_input(one).has_value());
  EXPECT_FALSE(WireReader().read_input({}).has_value());
}

// A cheap fuzzer; the real one (tests/fuzz) starts from the same bytes.
TEST(Wire, SpoiledBytesNeverCrashTheReader) {
  Secrets secrets;
  secrets.add("sec-1", base::Secret("hunter2"));
  WireWriter writer;
  const std::vector<Frames> seeds = {
      writer.write(domain::WorkerInput(full_report()), 1),
      writer.write(domain::ServerMessage(order_for(CommandKind::VmCreate, 1)), 1, secrets)};
  std::mt19937_64 random(20260301);
  WireReader reader;
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    Frames frames = seeds[random() % seeds.size()];
    for (std::uint64_t n = random() % 4 + 1; n > 0; --n) {
      std::string& part = random() % 4 == 0 ? frames.header : frames.body;
      if (part.empty()) continue;
      const std::size_t at = random() % part.size();
      switch (random() % 4) {
        case 0:
          part[at] = static_cast<char>(random());
          break;
        case 1:
          part.erase(at, random() % 8);
          break;
        case 2:
          part.insert(at, 1, static_cast<char>(random()));
          break;
        default:
          part[at] =
              static_cast<char>(static_cast<unsigned char>(part[at]) ^ (1U << (random() % 8)));
      }
    }
    refused += reader.read_input(views(frames)).has_value() ? 0U : 1U;
    refused += reader.read_server_message(views(frames)).has_value() ? 0U : 1U;
  }
  EXPECT_GT(refused, 20'000U);
}

}  // namespace
}  // namespace slipway::workers
