#pragma once
// Reads one JSON object of a request: each member once, all mistakes noted with their JSON pointers
// instead of stopping at the first. A member that nobody asked for is a mistake too.
//
//   FieldReader args(json, "/args", errors);
//   spec.name = args.text("name", {.required = true});
//   spec.hard = args.flag("hard");
//   args.finish();
//   if (!errors.empty()) return fail(errors.error());
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_read.hpp"
#include "core/base/time.hpp"
#include "core/base/uuid.hpp"
#include "core/domain/specs.hpp"

namespace slipway::api {

// All that is wrong with a request. A wrong shape is 400; a value over a limit is 422.
class FieldErrors {
 public:
  void add(std::string pointer, std::string code, std::string detail);
  void add_limit(std::string pointer, std::string detail);
  bool empty() const { return fields_.empty(); }
  base::Error error() const;

 private:
  std::vector<base::FieldError> fields_;
  bool shape_ = false;
};

// "; did you mean 'flavor'?" or nothing: the known word within two slips of the pen.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string_view>& known);

class FieldReader {
 public:
  static constexpr std::size_t kNameBytes = 255;
  static constexpr std::size_t kLabels = 64;
  static constexpr std::size_t kLabelBytes = 256;

  struct TextRule {
    bool required = false;
    std::size_t max_bytes = kNameBytes;
    bool one_line = true;  // no control characters
  };

  // Anything but an object is noted as a mistake; `json` may be absent (all members are then).
  FieldReader(std::optional<base::JsonValue> json, std::string pointer, FieldErrors& errors);

  std::string text(std::string_view name, TextRule rule);
  std::string text(std::string_view name) { return text(name, TextRule()); }
  bool flag(std::string_view name);
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t min, std::uint64_t max,
                                      bool required = false);
  std::optional<base::Time> time(std::string_view name);
  std::optional<base::Uuid> id(std::string_view name, bool required = false);
  std::vector<base::Uuid> ids(std::string_view name, std::size_t max);
  domain::Labels labels(std::string_view name);
  // The member itself; nullopt if absent or null.
  std::optional<base::JsonValue> member(std::string_view name);
  void require(std::string_view name);

  // Notes every member that was not asked for.
  void finish();
  std::string pointer(std::string_view name) const;
  FieldErrors& errors() { return errors_; }

 private:
  void wrong_type(std::string_view name, std::string_view wanted);

  std::optional<base::JsonValue> json_;
  const std::string pointer_;
  FieldErrors& errors_;
  std::vector<std::string_view> known_;
};

}  // namespace slipway::api
