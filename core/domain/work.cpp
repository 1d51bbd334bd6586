#include "core/domain/work.hpp"

namespace slipway::domain {

std::string correlation_key(const TaskId& task, std::string_view step) {
  std::string key = "slipway-" + base::to_string(task) + "-";
  key += step;
  return key;
}

}  // namespace slipway::domain
