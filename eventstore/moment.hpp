#pragma once
// A moment of the log: a seq (one inside a record means the record's end), or a time: all before
// the first record that is later.
#include <variant>

#include "core/base/time.hpp"
#include "core/domain/event.hpp"

namespace slipway::eventstore {

using Moment = std::variant<domain::Seq, base::Time>;

}  // namespace slipway::eventstore
