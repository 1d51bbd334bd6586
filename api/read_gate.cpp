#include "api/read_gate.hpp"

#include <charconv>

namespace slipway::api {
namespace {

using base::Errc;
using eventstore::WaitResult;

// Without a seq named nobody was promised anything: a list does not hang on a projection that is
// busy.
constexpr base::Duration kCourtesyWait = std::chrono::milliseconds(500);

std::optional<domain::Seq> parse_seq(std::string_view text) {
  domain::Seq seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seq;
}

}  // namespace

void read_when_current(const ApiServices& services, const Request& request, const Client& client,
                       std::function<void()> go) {
  const auto header = request.find_header("slipway-min-seq");
  domain::Seq wanted = services.committed_seq();
  if (header) {
    const auto seq = parse_seq(*header);
    if (!seq) {
      client.fail(Errc::InvalidArgument, "Slipway-Min-Seq is a number");
      return;
    }
    wanted = *seq;
  }
  if (services.projected_seq() >= wanted) {
    go();
    return;
  }
  const bool promised = header.has_value();
  const base::SteadyTime begin = services.clock.steady();
  const auto handle = services.waiters.wait_for_seq(
      wanted, begin + (promised ? services.options.min_seq_wait.get() : kCourtesyWait),
      [&services, client, promised, go, begin](const WaitResult& result) {
        client.reply.add_wait(services.clock.steady() - begin);
        if (promised && result.kind != WaitResult::Kind::Reached) {
          client.fail(Errc::ProjectionBehind, "the read models have not reached that seq yet");
        } else {
          go();
        }
      });
  if (handle != 0) return;
  if (promised) {
    client.fail(Errc::ProjectionBehind, "the read models have not reached that seq yet");
  } else {
    go();
  }
}

}  // namespace slipway::api
