#include "eventstore/projections/tallies.hpp"

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/domain/record.hpp"

namespace slipway::eventstore {
namespace {

// 4 bits, then three labels of 20.
constexpr unsigned kLabelBits = 20;
constexpr Label kLabelMask = (1U << kLabelBits) - 1;
static_assert(enum_names(Tally{}).size() <= 16);

constexpr std::uint64_t pack(Tally tally, Label a, Label b, Label c) {
  return ((static_cast<std::uint64_t>(tally) << kLabelBits | a) << kLabelBits | b) << kLabelBits |
         c;
}
constexpr Label unpack(std::uint64_t key, unsigned place) {
  return static_cast<Label>(key >> (kLabelBits * (2 - place))) & kLabelMask;
}

template <class... E>
std::vector<std::string> type_names(std::variant<E...>*) {
  return {std::string(E::kType)...};
}

}  // namespace

Label Labels::of(std::string_view text) {
  const auto [it, fresh] = numbers_.try_emplace(std::string(text), 0);
  if (fresh) {
    it->second = static_cast<Label>(texts_.size());
    texts_.push_back(&it->first);
  }
  return it->second;
}

Tallies::Tallies(Database& db)
    : event_types_(std::variant_size_v<domain::EventVariant>),
      upsert_(db,
              "INSERT INTO tallies VALUES(?,?,?,?,?) "
              "ON CONFLICT DO UPDATE SET value=excluded.value"),
      erase_(db, "DELETE FROM tallies WHERE tally=? AND a=? AND b=? AND c=?"),
      db_(db) {}

void Tallies::load() {
  Statement select(db_, "SELECT tally, a, b, c, value FROM tallies");
  while (select.step()) {
    const auto tally = base::enum_from_name<Tally>(select.text(0));
    if (!tally) continue;
    totals_[{*tally, std::string(select.text(1)), std::string(select.text(2)),
             std::string(select.text(3))}] = select.integer(4);
  }
}

void Tallies::add(Tally tally, Label a, Label b, Label c, std::int64_t n) {
  CHECK((a | b | c) <= kLabelMask, "too many labels: {} {} {}", a, b, c);
  counts_[pack(tally, a, b, c)] += n;
}

void Tallies::add_ready_since(Label worker_pool, base::Time since, std::int64_t n) {
  const auto second = std::chrono::floor<std::chrono::seconds>(since).time_since_epoch().count();
  ready_since_[{worker_pool, second}] += n;
}

void Tallies::collect() {
  static const auto kTypes = type_names(static_cast<domain::EventBody*>(nullptr));
  deltas_.clear();
  for (const auto& [key, n] : counts_) {
    if (n == 0) continue;
    const auto tally = static_cast<Tally>(key >> (3 * kLabelBits));
    deltas_[{tally, labels_.text(unpack(key, 0)), labels_.text(unpack(key, 1)),
             labels_.text(unpack(key, 2))}] = n;
  }
  for (const auto& [key, n] : ready_since_) {
    if (n == 0) continue;
    deltas_[{Tally::ReadySince, labels_.text(key.first), fmt::format("{:012}", key.second), {}}] =
        n;
  }
  for (std::size_t i = 0; i < event_types_.size(); ++i) {
    if (event_types_[i] == 0) continue;
    deltas_[{Tally::Events, kTypes[i], {}, {}}] = event_types_[i];
    event_types_[i] = 0;
  }
  counts_.clear();
  ready_since_.clear();
}

// A number that is 0 again has no row: which rows there are must not depend on the cut into lots.
void Tallies::flush() {
  collect();
  for (const auto& [key, n] : deltas_) {
    const auto it = totals_.try_emplace(key, 0).first;
    it->second += n;
    if (it->second != 0) {
      upsert_.run(base::enum_name(key.tally), key.a, key.b, key.c, it->second);
    } else {
      erase_.run(base::enum_name(key.tally), key.a, key.b, key.c);
      totals_.erase(it);
    }
  }
}

}  // namespace slipway::eventstore
