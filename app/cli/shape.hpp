#pragma once
// How each kind of thing looks in a table.
#include <string>
#include <vector>

#include "app/cli/json.hpp"
#include "app/cli/terminal.hpp"
#include "core/base/time.hpp"

namespace slipway::app::cli {

enum class Cell {
  Text,
  State,      // coloured
  Age,        // of an RFC 3339 time: "3m"
  Percent,    // of a number
  Seconds,    // a number of seconds: "3m"
  Mebibytes,  // a number: "2 GiB"
  Bytes,
  Labels,     // {"a": "b"}: "a=b"
  Addresses,  // [{address}]: the addresses
  Resources,  // [{kind, id}]: "vm/0197..."
  Count,      // how many elements
};

struct Column {
  std::string title;
  std::string pointer;  // JSON pointer; several with '|' between: the first that is there
  Cell cell = Cell::Text;
  bool wide = false;  // only with -o wide
};

struct Shape {
  std::string noun = {};      // "task"
  std::string name_key = {};  // JSON pointer to what -o name prints
  std::vector<Column> columns = {};
};

const Shape& task_shape();
const Shape& vm_shape();
const Shape& queue_shape();
const Shape& worker_shape();
const Shape& image_shape();
const Shape& flavor_shape();
const Shape& network_shape();
const Shape& host_shape();
const Shape& event_shape();
const Shape& token_shape();

// Printable, never coloured.
std::string cell_text(const Json& item, const Column& column, base::Time now);
Colour state_colour(std::string_view state);

// "850ms", "3s", "5m", "2h", "4d".
std::string short_duration(base::Duration time);

}  // namespace slipway::app::cli
