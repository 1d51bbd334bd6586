#pragma once
// A limit on what SQLite allocates for one query. SQLite's own heap limit is of the whole process,
// and would let one tenant's query fail another's, or the projector's transaction; this one counts
// what the calling thread allocates while a MemoryBudget lives on it.
#include <cstddef>

namespace slipway::eventstore::sql {

// False if SQLite had been used before this program could put its counter under it: then there is
// no limit. It is put there before main(), so that is a mistake in the build.
bool memory_is_counted();

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  // An allocation was refused.
  bool exceeded() const;
};

}  // namespace slipway::eventstore::sql
