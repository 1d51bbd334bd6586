#pragma once
// What each fold is told of the event at hand.
#include "core/domain/record.hpp"

namespace slipway::eventstore {

struct FoldContext {
  const domain::Envelope& envelope;
  const domain::Event& event;
  domain::Seq seq;  // of the event
  base::Time time() const { return envelope.time; }
};

}  // namespace slipway::eventstore
