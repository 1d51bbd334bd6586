#pragma once
// The columns of `vms` and the fields of VmRow: written here, read here, nowhere else.
#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/projections/sqlite.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

// For "SELECT <kVmColumns> FROM vms".
extern const char* const kVmColumns;
// Reads the row at which `select` stands. False: its labels are damaged.
bool read_vm(const Statement& select, base::JsonParser& parser, VmRow& row);

class VmStore {
 public:
  explicit VmStore(Database& db);
  void insert(const VmRow& row);
  void update(const VmRow& row);        // all that may change
  void update_state(const VmRow& row);  // all but its spec and its deletion: fewer indexes
  bool find(const domain::VmId& id, VmRow& row);

  std::vector<SnapshotRow> snapshots(const domain::VmId& vm);
  void replace_snapshots(const domain::VmId& vm, const std::vector<SnapshotRow>& rows);

 private:
  std::optional<std::string_view> guest_doc(const domain::VmSpec& spec);
  std::optional<std::string_view> drift_doc(const VmRow& row);

  Database& db_;
  base::JsonWriter writer_;
  base::JsonWriter guest_writer_;
  base::JsonWriter drift_writer_;
  base::JsonParser parser_;
  Statement insert_, insert_label_, update_, update_state_, find_;
  Statement select_snapshots_, erase_snapshots_, insert_snapshot_;
};

}  // namespace slipway::eventstore
