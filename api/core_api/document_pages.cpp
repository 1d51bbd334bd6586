#include "api/core_api/document_pages.hpp"

#include <fmt/format.h>

#include "api/client.hpp"
#include "api/core_api/openapi.hpp"
#include "api/core_api/page.hpp"
#include "api/identity.hpp"
#include "core/base/check.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api {
namespace {

using base::JsonArrayIterator;
using base::JsonObjectIterator;
using base::JsonValue;

constexpr std::string_view kSchemas = "#/components/schemas/";

std::string text_of(JsonValue object, std::string_view name) {
  const auto value = object.find(name);
  return html_escaped(value ? value->string().value_or("") : "");
}

// JSON as people write it: one member a line.
void write_json(std::string& out, JsonValue value, std::size_t depth) {
  const std::string indent(2 * depth + 2, ' ');
  if (value.is_object() && value.size() > 0) {
    std::string_view before = "{\n";
    for (JsonObjectIterator it(value); it; ++it) {
      out.append(before).append(indent).append("\"").append(it.key()).append("\": ");
      write_json(out, it.value(), depth + 1);
      before = ",\n";
    }
    out.append("\n").append(indent, 0, 2 * depth).append("}");
  } else if (value.is_array() && value.size() > 0) {
    std::string_view before = "[";
    for (JsonArrayIterator it(value); it; ++it) {
      out.append(before);
      write_json(out, it.value(), depth + 1);
      before = ", ";
    }
    out.append("]");
  } else {
    out += value.minified();
  }
}

std::string pre(JsonValue value) {
  std::string json;
  write_json(json, value, 0);
  return "<pre>" + html_escaped(json) + "</pre>";
}

// A schema in a word: its type, or a link to where it is written out.
std::string schema_word(JsonValue schema) {
  if (const auto ref = schema.find("$ref")) {
    std::string_view name = ref->string().value_or("");
    if (name.starts_with(kSchemas)) name.remove_prefix(kSchemas.size());
    return fmt::format("<a href=\"#schema-{0}\">{0}</a>", html_escaped(name));
  }
  const auto type = schema.find("type");
  if (type && type->string() == "array") {
    const auto items = schema.find("items");
    return "list of " + (items ? schema_word(*items) : std::string("anything"));
  }
  return type && type->string() ? html_escaped(*type->string()) : "one of several";
}

std::string parameters(JsonValue list) {
  std::string out = "<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>";
  for (JsonArrayIterator it(list); it; ++it) {
    const auto schema = it.value().find("schema");
    out += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                       text_of(it.value(), "name"), text_of(it.value(), "in"),
                       schema ? schema_word(*schema) : "", text_of(it.value(), "description"));
  }
  return out + "</table>";
}

// The media types of a body, each with its schema and example.
std::string contents(JsonValue body) {
  const auto content = body.find("content");
  std::string out;
  if (!content) return out;
  for (JsonObjectIterator it(*content); it; ++it) {
    const auto schema = it.value().find("schema");
    const auto example = it.value().find("example");
    out += fmt::format("<div><code>{}</code> {}</div>", html_escaped(it.key()),
                       schema ? schema_word(*schema) : "");
    if (example) out += pre(*example);
  }
  return out;
}

std::string operation(std::string_view path, std::string_view method, JsonValue what) {
  std::string verb(method);
  for (char& c : verb) c = static_cast<char>(c & ~0x20);
  const std::string id = text_of(what, "operationId");
  std::string out =
      fmt::format("<section id=\"{}\"><h2><code>{} {}</code></h2><p>{}</p><p>{}</p>", id, verb,
                  html_escaped(path), text_of(what, "summary"), text_of(what, "description"));
  if (const auto role = text_of(what, "x-role"); !role.empty()) {
    out += "<p>Needs the role <code>" + role + "</code>.</p>";
  }
  if (const auto list = what.find("parameters"); list && list->size() > 0) {
    out += parameters(*list);
  }
  if (const auto body = what.find("requestBody")) out += "<h3>Body</h3>" + contents(*body);
  out += "<h3>Answers</h3><table>";
  if (const auto answers = what.find("responses")) {
    for (JsonObjectIterator it(*answers); it; ++it) {
      out += fmt::format("<tr><td><code>{}</code></td><td>{}{}</td></tr>", html_escaped(it.key()),
                         text_of(it.value(), "description"), contents(it.value()));
    }
  }
  return out + "</table></section>";
}

std::string render() {
  base::JsonParser parser({.depth = 64, .keys_per_object = 1U << 16U});
  const auto document = parser.parse_trusted(openapi_json());
  CHECK(document, "the API's description is not JSON: {}", document.error().message);
  const JsonValue info = document->find("info").value_or(JsonValue());
  std::string out = fmt::format(
      "<p>{}</p><p>{}</p><p>For programs: <a href=\"/core/v1/openapi.json\">openapi.json</a> "
      "(OpenAPI 3.1). <a href=\"/problems\">Problem codes</a>.</p>",
      text_of(info, "summary"), text_of(info, "description"));
  std::string list = "<ul>";
  std::string sections;
  const auto paths = document->find("paths");
  for (JsonObjectIterator path(*paths); path; ++path) {
    for (JsonObjectIterator method(path.value()); method; ++method) {
      list += fmt::format("<li><a href=\"#{}\">{}</a></li>", text_of(method.value(), "operationId"),
                          text_of(method.value(), "summary"));
      sections += operation(path.key(), method.key(), method.value());
    }
  }
  out += list + "</ul>" + sections + "<section><h2>Schemas</h2>";
  const auto components = document->find("components");
  const auto schemas = components ? components->find("schemas") : std::nullopt;
  CHECK(schemas, "the API's description has no schemas");
  for (JsonObjectIterator it(*schemas); it; ++it) {
    out += fmt::format("<details id=\"schema-{0}\"><summary>{0}</summary>{1}</details>",
                       html_escaped(it.key()), pre(it.value()));
  }
  return out + "</section>";
}

void docs(const Call& call) {
  static const std::string kBody = render();  // at the first visit: some milliseconds
  call.reply.send(html_page("The slipway API", kBody));
}

}  // namespace

RouteTable document_routes() {
  constexpr Permission kPublic = allow(Right::Public);
  return {{Method::Get, "/docs", kPublic, docs, nullptr},
          {Method::Get, "/core/v1/openapi.json", kPublic,
           [](const Call& call) { call.reply.send(Response(200, std::string(openapi_json()))); },
           nullptr}};
}

}  // namespace slipway::api
