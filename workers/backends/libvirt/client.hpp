#pragma once
// libvirt as a BlockingClient: finds the function for an operation and makes answers of what it
// throws.
#include "workers/backends/libvirt/request.hpp"

namespace slipway::workers::libvirt {

class Client final : public BlockingClient {
 public:
  explicit Client(Options options);
  ~Client() override;

  std::string_view lane(const BackendCall& call) const override;
  BackendAnswer perform(const BackendCall& call, const Progress& progress) override;
  BackendAnswer lookup(const BackendCall& call) override;
  BackendAnswer inventory(const InventoryCall& call, std::string_view lane) override;
  BackendAnswer join(std::vector<BackendAnswer>&& parts) override;

 private:
  Context context_;
};

// Of one cell (inventory.cpp).
domain::Inventory list_cell(Context& context, Cell& cell);
// Of all cells; those without a value did not answer.
domain::Inventory join_cells(const Context& context,
                             std::vector<std::shared_ptr<domain::Inventory>>&& cells);
// What an evacuation left on a cell that is back (evacuate.cpp): the older of two definitions of
// one VM, if it does not run and the newer does.
void drop_left_behind(const Context& context, const std::string& ref, const std::string& runs_on,
                      const std::string& left_on);

}  // namespace slipway::workers::libvirt
