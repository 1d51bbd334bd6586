#pragma once
// Internal to rocks_*.cpp: the start. Looks at the files before the store does, cuts a torn tail,
// refuses damage without having changed a file.
#include "eventstore/rocks_store.hpp"

namespace slipway::eventstore {

struct RecoveredLog {
  std::unique_ptr<RocksStore> store;
  RocksStore::State state;
  RecoveryReport report;
};

// The caller holds the lock of `dir`. `witness` is what its file said; `witnessed` whether there
// was such a file (it is made last, so without it nothing was ever acknowledged).
base::Result<RecoveredLog> recover(const std::filesystem::path& dir, const RocksLogOptions& options,
                                   const std::optional<Witness>& witness, bool witnessed);

}  // namespace slipway::eventstore
