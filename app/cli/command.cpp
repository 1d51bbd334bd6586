#include "app/cli/command.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/check.hpp"

namespace slipway::app::cli {
namespace {

// Levenshtein.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, change});
    }
  }
  return row[b.size()];
}

bool starts_with(const std::vector<std::string>& path, const std::vector<std::string>& prefix) {
  return path.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

}  // namespace

std::string Values::get(const std::string& name, const std::string& fallback) const {
  const auto at = given_.find(name);
  return at == given_.end() || at->second.empty() ? fallback : at->second.back();
}

const std::vector<std::string>& Values::all(const std::string& name) const {
  static const std::vector<std::string> kNone;
  const auto at = given_.find(name);
  return at == given_.end() ? kNone : at->second;
}

std::string Command::full_name() const {
  return path.empty() ? "slipway" : "slipway " + join(path, " ");
}

void CommandTable::add(Command command) {
  CHECK(find(command.path) == nullptr, "command '{}' is in the table twice", command.full_name());
  commands_.push_back(std::move(command));
}

void CommandTable::describe_group(std::vector<std::string> path, std::string summary) {
  groups_[std::move(path)] = std::move(summary);
}

const Command* CommandTable::find(const std::vector<std::string>& path) const {
  for (const auto& command : commands_)
    if (command.path == path) return &command;
  return nullptr;
}

std::vector<std::string> CommandTable::words_after(const std::vector<std::string>& path) const {
  std::vector<std::string> words;
  for (const auto& command : commands_) {
    if (command.path.size() <= path.size() || !starts_with(command.path, path)) continue;
    const auto& word = command.path[path.size()];
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::string CommandTable::summary_of(const std::vector<std::string>& path) const {
  if (const auto group = groups_.find(path); group != groups_.end()) return group->second;
  const auto* command = find(path);
  return command ? command->summary : "";
}

std::string nearest(const std::string& word, const std::vector<std::string>& alternatives) {
  std::string best;
  auto best_distance = word.size() / 3 + 2;
  for (const auto& alternative : alternatives) {
    const auto d = alternative.starts_with(word) ? 0 : distance(word, alternative);
    if (d < best_distance) {
      best = alternative;
      best_distance = d;
    }
  }
  return best;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

}  // namespace slipway::app::cli
