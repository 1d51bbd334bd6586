#pragma once
// The tables of the read models (the comments are in schema.cpp, beside the columns), and what
// tells a file of this version of the projections from any other.
#include <string>

#include "eventstore/projections/sqlite.hpp"

namespace slipway::eventstore {

// Add one when the fold changes so that it gives other rows for the same events. Changes of the
// tables, of the stored structs' fields and of enumerators are noticed without it.
inline constexpr int kProjectionVersion = 1;

// Differs for every version of the program whose files differ.
std::string schema_fingerprint();
void create_schema(Database& db);
// The tables, in order of name; each has its rows compared by the equality test.
std::vector<std::string> table_names(Database& db);

}  // namespace slipway::eventstore
