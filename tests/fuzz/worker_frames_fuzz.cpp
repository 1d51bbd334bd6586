// A message between broker and worker, as both sides read it: the first 24 bytes are the header.
// What was read is written, and reads as the same again.
#include <array>

#include "target.hpp"
#include "workers/wire.hpp"

namespace {

using namespace slipway::workers;  // NOLINT: the thing under test
using slipway::fuzz::must;

template <class Read, class Write>
void round_trip(std::string_view header, std::string_view body, Read read, Write write) {
  const std::array<std::string_view, 2> frames{header, body};
  auto incoming = read(frames);
  if (!incoming) return must(!incoming.error().message.empty(), "refused without a word");
  const Frames out = write(*incoming);
  const std::array<std::string_view, 2> again{out.header, out.body};
  auto second = read(again);
  must(second.has_value(), "what was read cannot be written", out.body);
  const Frames back = write(*second);
  must(back.header == out.header && back.body == out.body, "it is another after a turn", back.body);
}

}  // namespace

SLIPWAY_FUZZ_TARGET(worker_frames) {
  static WireReader reader;
  static WireWriter writer;
  const std::string_view header = bytes.substr(0, kHeaderBytes);
  const std::string_view body = bytes.substr(header.size());
  round_trip(
      header, body, [](auto& frames) { return reader.read_input(frames); },
      [](const auto& in) { return writer.write(in.message, in.epoch); });
  round_trip(
      header, body, [](auto& frames) { return reader.read_server_message(frames); },
      [](const auto& in) { return writer.write(in.message, in.epoch, in.secrets); });
}
