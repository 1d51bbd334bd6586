#include "app/cli/printer.hpp"

#include <algorithm>

#include "app/cli/yaml.hpp"

namespace slipway::app::cli {
namespace {

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, display_width(text)), ' ');
}

struct Field {
  std::string name;  // "progress.percent"
  Json value;
};

// Objects become a field for each member; what is null only shows if asked for.
void collect(const Json& object, const std::string& prefix, bool with_null,
             std::vector<Field>& out) {
  for (const auto& [key, value] : object.items()) {
    if (key == "links" || (value.is_null() && !with_null)) continue;
    if (value.is_object() && !value.empty()) {
      collect(value, prefix + key + ".", with_null, out);
    } else {
      out.push_back({prefix + key, value});
    }
  }
}

}  // namespace

base::Result<Printer> Printer::open(Io& io, const Terminal& terminal, const Values& values) {
  Printer out(io, terminal);
  out.chosen_ = values.has("--output");
  out.format_ = values.get("--output", "table");
  out.query_given_ = values.has("--query");
  try {
    out.query_ = Json::json_pointer(values.get("--query"));
  } catch (const Json::exception&) {
    return base::fail(base::Errc::InvalidArgument,
                      "--query is no JSON pointer; one looks like /progress/percent");
  }
  return out;
}

void Printer::one(const Json& body, const Shape& shape) const {
  if (query_given_) return picked(body);
  if (format_ == "json") {
    io_->out << dumped(body, 2) << '\n';
  } else if (format_ == "jsonl") {
    io_->out << dumped(body, -1) << '\n';
  } else if (format_ == "yaml") {
    io_->out << to_yaml(body);
  } else if (format_ == "name") {
    io_->out << cell_text(body, {"", shape.name_key}, {}) << '\n';
  } else {
    fields(body, shape);
  }
}

void Printer::list(const Json& items, const Shape& shape) const {
  if (query_given_ || format_ == "jsonl" || format_ == "name") {
    for (const auto& item : items) one(item, shape);
  } else if (format_ == "json") {
    io_->out << dumped(items, 2) << '\n';
  } else if (format_ == "yaml") {
    io_->out << to_yaml(items);
  } else {
    table(items, shape);
  }
}

void Printer::picked(const Json& value) const {
  const auto found = value.contains(query_) ? value.at(query_) : Json();
  if (format_ == "yaml") {
    io_->out << to_yaml(found);
  } else if (as_json()) {
    io_->out << dumped(found, format_ == "json" ? 2 : -1) << '\n';
  } else {
    io_->out << (found.is_string() ? found.get<std::string>() : dumped(found, -1)) << '\n';
  }
}

void Printer::table(const Json& items, const Shape& shape) const {
  std::vector<Column> columns;
  for (const auto& column : shape.columns)
    if (!column.wide || format_ == "wide") columns.push_back(column);
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& column : columns) rows[0].push_back(column.title);
  for (const auto& item : items) {
    rows.emplace_back();
    for (const auto& column : columns)
      rows.back().push_back(cell_text(item, column, io_->clock.now()));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool last = i + 1 == columns.size();
      const auto text = last ? rows[r][i] : padded(rows[r][i], widths[i] + 2);
      const auto colour = r == 0                           ? Colour::Bold
                          : columns[i].cell == Cell::State ? state_colour(rows[r][i])
                                                           : Colour::None;
      line += terminal_->painted_out(text, colour);
    }
    io_->out << line << '\n';
  }
}

void Printer::fields(const Json& body, const Shape& shape) const {
  if (!body.is_object()) {
    io_->out << dumped(body, 2) << '\n';
    return;
  }
  std::vector<Field> all;
  collect(body, "", format_ == "wide", all);
  std::size_t width = 0;
  for (const auto& field : all) width = std::max(width, display_width(field.name));
  for (const auto& [name, value] : all) {
    Column column{"", "/value"};
    for (const auto& known : shape.columns)
      if (known.pointer == "/" + name && known.cell != Cell::Age) column.cell = known.cell;
    const auto text = cell_text(Json{{"value", value}}, column, io_->clock.now());
    const auto colour = column.cell == Cell::State ? state_colour(text) : Colour::None;
    io_->out << padded(printable(name), width + 2) << terminal_->painted_out(text, colour) << '\n';
  }
}

}  // namespace slipway::app::cli
