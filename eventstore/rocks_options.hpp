#pragma once
// Internal to rocks_*.cpp: how the store is tuned, and why.
#include <rocksdb/db.h>

#include <vector>

#include "eventstore/rocks_store.hpp"

namespace slipway::eventstore {

rocksdb::DBOptions db_options(const RocksLogOptions& options, RocksStore::Mode mode);
// One for each Column, in its order.
std::vector<rocksdb::ColumnFamilyDescriptor> columns(const RocksLogOptions& options);

}  // namespace slipway::eventstore
