// The JSON of the bulk calls. What is not known is passed over: clients send whole instances as
// they once read them.
#include <fmt/format.h>

#include "api/dialects/perspective/bulk.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api::perspective {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;

constexpr std::size_t kNameBytes = 255;
constexpr std::size_t kMostItems = 1000;

base::JsonParser& parser() {
  thread_local base::JsonParser one;
  return one;
}

// nullopt for an empty body.
base::Result<std::optional<JsonValue>> parse_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == body.npos) return std::optional<JsonValue>();
  auto json = parser().parse(body);
  if (!json) return fail(Errc::InvalidArgument, fmt::format("the body: {}", json.error().message));
  return std::optional(*json);
}

base::Result<std::optional<JsonValue>> parse_list(std::string_view body, std::string_view what) {
  auto json = parse_body(body);
  if (!json || !*json) return json;
  if (!(*json)->is_array()) return fail(Errc::InvalidArgument, fmt::format("the body is {}", what));
  if ((*json)->size() > kMostItems) {
    return fail(Errc::UnprocessableArgument, fmt::format("at most {} at once", kMostItems));
  }
  return json;
}

std::string text_of(const std::optional<JsonValue>& json) {
  const auto text = json ? json->string() : std::nullopt;
  return text ? std::string(*text) : std::string();
}

// "flavor": "m1.nano", "flavor": {"id": ..} or {"name": ..}, "flavorId": ..
std::string reference(const JsonValue& json, std::string_view name, std::string_view flat) {
  const auto value = json.find(name);
  if (!value) return text_of(json.find(flat));
  if (!value->is_object()) return text_of(value);
  const std::string id = text_of(value->find("id"));
  return id.empty() ? text_of(value->find("name")) : id;
}

base::Status check_name(std::string_view name, std::string_view what) {
  const bool bad = name.empty() || name.size() > kNameBytes ||
                   name.find_first_of(std::string_view("\0\r\n", 3)) != name.npos;
  if (!bad) return {};
  return fail(Errc::InvalidArgument,
              fmt::format("{} needs a name of 1 to {} bytes on one line", what, kNameBytes));
}

base::Status add_label(domain::Labels& labels, std::string key, std::string value) {
  if (key.empty() || key.size() > 256 || value.size() > 256 || labels.size() >= 64) {
    return fail(Errc::UnprocessableArgument, "metadata has at most 64 entries of 256 bytes");
  }
  labels[std::move(key)] = std::move(value);
  return {};
}

// {"entry": [{"key": .., "value": ..}]} as it is read, or a plain map.
base::Status read_metadata(const std::optional<JsonValue>& json, domain::Labels& out) {
  if (!json || !json->is_object()) return {};
  const auto entries = json->find("entry");
  if (entries && entries->is_array()) {
    for (base::JsonArrayIterator it(*entries); it; ++it) {
      const JsonValue entry = it.value();
      if (auto status = add_label(out, text_of(entry.find("key")), text_of(entry.find("value")));
          !status) {
        return status;
      }
    }
    return {};
  }
  for (base::JsonObjectIterator it(*json); it; ++it) {
    if (auto status = add_label(out, std::string(it.key()), text_of(it.value())); !status) {
      return status;
    }
  }
  return {};
}

base::Result<domain::CreateVm> read_instance(const JsonValue& json) {
  domain::CreateVm vm;
  vm.name = text_of(json.find("name"));
  if (auto status = check_name(vm.name, "an instance"); !status) return fail(status.error());
  vm.flavor = reference(json, "flavor", "flavorId");
  vm.image = reference(json, "image", "imageId");
  vm.keypair = reference(json, "keypair", "keypairName");
  vm.backend = text_of(json.find("cloudId"));
  const auto networks = json.find("networks");
  if (networks && networks->is_array()) {
    base::JsonArrayIterator first(*networks);
    if (first) {
      const JsonValue network = first.value();
      vm.network = network.is_object() ? text_of(network.find("id")) : text_of(network);
    }
  }
  if (vm.keypair.size() > kNameBytes) {
    return fail(Errc::InvalidArgument, "a key pair's name is too long");
  }
  if (auto status = read_metadata(json.find("metadata"), vm.labels); !status) {
    return fail(status.error());
  }
  return vm;
}

base::Result<NewImage> read_image(const JsonValue& json) {
  NewImage image{text_of(json.find("name")), reference(json, "instance", "instanceId")};
  if (auto status = check_name(image.name, "an image"); !status) return fail(status.error());
  if (image.instance.empty()) {
    return fail(Errc::InvalidArgument, "an image needs the instanceId that it is made of");
  }
  return image;
}

template <class T, class ReadOne>
base::Result<std::vector<T>> read_objects(std::string_view body, std::string_view what,
                                          ReadOne read) {
  const auto json = parse_list(body, what);
  if (!json) return fail(json.error());
  std::vector<T> out;
  if (!*json) return out;
  for (base::JsonArrayIterator it(**json); it; ++it) {
    if (!it.value().is_object()) {
      return fail(Errc::InvalidArgument, fmt::format("the body is {}", what));
    }
    auto one = read(it.value());
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace

base::Result<Ids> parse_ids(std::string_view body) {
  const auto json = parse_list(body, "a list of ids");
  if (!json) return fail(json.error());
  Ids ids;
  if (!*json) return ids;
  for (base::JsonArrayIterator it(**json); it; ++it) {
    const auto text = it.value().string();
    if (!text) return fail(Errc::InvalidArgument, "the body is a list of ids");
    ids.emplace_back(*text);
  }
  return ids;
}

base::Result<Names> parse_names(std::string_view body) {
  const auto json = parse_body(body);
  if (!json) return fail(json.error());
  Names names;
  if (!*json) return names;
  if (!(*json)->is_object()) return fail(Errc::InvalidArgument, "the body is a map of id to name");
  for (base::JsonObjectIterator it(**json); it; ++it) {
    const auto name = it.value().string();
    if (auto status = check_name(name.value_or(""), "an instance"); !status) {
      return fail(status.error());
    }
    names.emplace_back(it.key(), *name);
  }
  if (names.size() > kMostItems) {
    return fail(Errc::UnprocessableArgument, fmt::format("at most {} at once", kMostItems));
  }
  return names;
}

base::Result<std::vector<domain::CreateVm>> parse_instances(std::string_view body) {
  return read_objects<domain::CreateVm>(body, "a list of instances", read_instance);
}

base::Result<std::vector<NewImage>> parse_images(std::string_view body) {
  return read_objects<NewImage>(body, "a list of images", read_image);
}

}  // namespace slipway::api::perspective
