#include "core/domain/states.hpp"

namespace slipway::domain {

bool may_become(TaskState from, TaskState to) {
  using enum TaskState;
  switch (from) {
    case Accepted:
      return to == Blocked || to == Ready || to == Running || to == Cancelled || to == TimedOut ||
             to == Failed;
    case Blocked:
      return to == Ready || to == Cancelled || to == TimedOut;
    case Ready:
      return to == Running || to == Cancelled || to == TimedOut || to == Dead;
    case Running:
      return to == Ready || to == RetryWait || is_terminal(to);
    case RetryWait:
      return to == Ready || to == Cancelled || to == TimedOut || to == Dead;
    case Succeeded:
    case Failed:
    case Cancelled:
    case TimedOut:
    case Dead:
    case Partial:
      return false;
  }
  return false;
}

}  // namespace slipway::domain
