#pragma once
// A fuzz target: any bytes at one thing that reads what comes from outside. Its promises are
// checked here, beside what the sanitizers see; whatever fails ends the process, and the bytes are
// kept.
//
//   SLIPWAY_FUZZ_TARGET(websocket) { ... bytes ... }
//
// Linked with libfuzzer.cpp it is a fuzzer of its own (`make fuzz`); all of them with
// replay_test.cpp are a test that goes over the corpora in tests/fuzz/corpus/<name>.
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

namespace slipway::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

// Those that are linked in.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

struct Registered {
  Registered(std::string_view name, void (*run)(std::string_view)) {
    targets().push_back({name, run});
  }
};

[[noreturn]] inline void give_up(std::string_view why, std::string_view detail = {}) {
  std::cerr << "fuzz: " << why << ": " << detail << "\n";
  std::abort();
}
inline void must(bool holds, std::string_view why, std::string_view detail = {}) {
  if (!holds) give_up(why, detail);
}

}  // namespace slipway::fuzz

#define SLIPWAY_FUZZ_TARGET(name)                                                  \
  static void fuzz_##name(std::string_view bytes);                                 \
  static const ::slipway::fuzz::Registered kRegistered_##name(#name, fuzz_##name); \
  static void fuzz_##name(std::string_view bytes)
