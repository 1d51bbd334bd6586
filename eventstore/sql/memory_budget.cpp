#include "eventstore/sql/memory_budget.hpp"

#include <sqlite3.h>

#include <cstdint>

namespace slipway::eventstore::sql {
namespace {

struct Counter {
  std::int64_t used = 0;   // may go below 0: what others allocated is freed here too
  std::int64_t limit = 0;  // 0: not counting
  bool exceeded = false;
};
thread_local Counter counter;
sqlite3_mem_methods below;

bool admits(std::int64_t bytes) {
  if (counter.limit == 0 || counter.used + bytes <= counter.limit) return true;
  counter.exceeded = true;
  return false;
}
void count(std::int64_t bytes) {
  if (counter.limit != 0) counter.used += bytes;
}

void* allocate(int bytes) {
  if (!admits(bytes)) return nullptr;
  void* const memory = below.xMalloc(bytes);
  if (memory != nullptr) count(below.xSize(memory));
  return memory;
}
void release(void* memory) {
  if (memory != nullptr) count(-below.xSize(memory));
  below.xFree(memory);
}
void* resize(void* memory, int bytes) {
  const int before = memory == nullptr ? 0 : below.xSize(memory);
  if (!admits(bytes - before)) return nullptr;
  void* const moved = below.xRealloc(memory, bytes);
  if (moved != nullptr) count(below.xSize(moved) - before);
  return moved;
}

bool install() {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &below) != SQLITE_OK) return false;
  sqlite3_mem_methods methods = below;
  methods.xMalloc = allocate;
  methods.xFree = release;
  methods.xRealloc = resize;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}
// Before main(): SQLite takes its settings only while nobody has used it.
const bool installed = install();

}  // namespace

bool memory_is_counted() { return installed; }

MemoryBudget::MemoryBudget(std::size_t bytes) {
  counter = {0, static_cast<std::int64_t>(bytes), false};
}
MemoryBudget::~MemoryBudget() { counter = {}; }
bool MemoryBudget::exceeded() const { return counter.exceeded; }

}  // namespace slipway::eventstore::sql
