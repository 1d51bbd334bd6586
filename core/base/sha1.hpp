#pragma once
// SHA-1, for old formats that ask for it and for nothing else: it protects nobody.
#include <string>
#include <string_view>

namespace slipway::base {

std::string sha1_hex(std::string_view text);

}  // namespace slipway::base
