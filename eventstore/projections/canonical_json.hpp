#pragma once
#include <string>
#include <string_view>

#include "core/base/json_read.hpp"

namespace slipway::eventstore {

// The one spelling of a JSON text: what reading it back from the log gives. A live batch carries
// the text as its maker wrote it; folding both forms must give the same bytes.
class CanonicalJson {
 public:
  // Parses only where the text may be spelt otherwise (escapes, white space, fractions).
  void assign(std::string& out, std::string_view text);

 private:
  base::JsonParser parser_;
};

}  // namespace slipway::eventstore
