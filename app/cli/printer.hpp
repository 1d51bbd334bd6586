#pragma once
// Results, on stdout, in the format that was asked for. JSON and YAML are the server's body.
#include "app/cli/command.hpp"
#include "app/cli/json.hpp"
#include "app/cli/shape.hpp"
#include "app/cli/terminal.hpp"
#include "core/base/result.hpp"

namespace slipway::app::cli {

class Printer {
 public:
  // Error: --query is no JSON pointer.
  static base::Result<Printer> open(Io& io, const Terminal& terminal, const Values& values);

  // One thing. As a table: its fields, one a line.
  void one(const Json& body, const Shape& shape) const;
  // Many: with json one array, also of none.
  void list(const Json& items, const Shape& shape) const;

  bool chosen() const { return chosen_; }  // whether -o was given
  bool as_json() const { return format_ == "json" || format_ == "jsonl"; }
  bool as_table() const { return format_ == "table" || format_ == "wide"; }

 private:
  Printer(Io& io, const Terminal& terminal) : io_(&io), terminal_(&terminal) {}
  void table(const Json& items, const Shape& shape) const;
  void fields(const Json& body, const Shape& shape) const;
  void picked(const Json& value) const;

  Io* io_;
  const Terminal* terminal_;
  std::string format_ = "table";
  bool chosen_ = false;
  bool query_given_ = false;
  Json::json_pointer query_;
};

}  // namespace slipway::app::cli
