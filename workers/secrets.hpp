#pragma once
// The secrets of one work order: from the broker, which opens them, to the backend call that needs
// them. Move-only; each is wiped with its lease.
#include <utility>
#include <vector>

#include "core/base/secret.hpp"
#include "core/domain/specs.hpp"

namespace slipway::workers {

class Secrets {
 public:
  void add(domain::SecretRef ref, base::Secret value) {
    items_.emplace_back(std::move(ref), std::move(value));
  }
  // Null for one that did not come with the order.
  const base::Secret* find(const domain::SecretRef& ref) const {
    for (const auto& [name, value] : items_) {
      if (name == ref) return &value;
    }
    return nullptr;
  }
  bool empty() const { return items_.empty(); }
  const std::vector<std::pair<domain::SecretRef, base::Secret>>& items() const { return items_; }

 private:
  std::vector<std::pair<domain::SecretRef, base::Secret>> items_;
};

}  // namespace slipway::workers
