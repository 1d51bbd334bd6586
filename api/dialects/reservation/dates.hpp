#pragma once
// Times as this dialect writes them, all in UTC.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace slipway::api::reservation {

// "2017-2-21 20:00": month, day and hour may have one digit; nullopt for anything else, a day that
// does not exist included.
std::optional<base::Time> parse_minute(std::string_view text);
std::string minute(base::Time t);  // 2017-02-21 20:00
std::string date(base::Time t);    // 2017-02-21T20:00:00.000000
std::string stamp(base::Time t);   // 2017-02-21 14:50:38

}  // namespace slipway::api::reservation
