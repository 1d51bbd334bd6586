#include "tests/backends/contract/openstack/witness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "core/base/json_write.hpp"

namespace slipway::workers::contract {

using namespace std::chrono_literals;  // NOLINT: tests
using base::JsonArrayIterator;
using base::JsonValue;

namespace {

std::string text_at(const JsonValue& json, std::string_view name) {
  const auto value = json.find(name);
  const auto text = value ? value->string() : std::nullopt;
  return text ? std::string(*text) : std::string();
}

std::uint32_t number_at(const JsonValue& json, std::string_view name) {
  const auto value = json.find(name);
  return value ? static_cast<std::uint32_t>(value->uint64().value_or(0)) : 0;
}

std::string word_of(const std::string& status) {
  if (status == "ACTIVE") return "running";
  if (status == "SHUTOFF") return "stopped";
  std::string word = status;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  return word;
}

// What was set of it beside its size, by the keys of its metadata; not the tag.
std::string rest_of(const JsonValue& metadata) {
  const std::set<std::string, std::less<>> tag{"task", "slipway_key", "slipway_installation",
                                               "slipway_vm"};
  std::string out;
  for (base::JsonObjectIterator it(metadata); it; ++it) {
    const auto text = it.value().string();
    if (!tag.contains(it.key())) out += fmt::format("{}={} ", it.key(), text.value_or(""));
  }
  return out;
}

}  // namespace

OpenstackBed read_openstack_bed(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string whole = text.str();
  base::JsonParser parser;
  const auto json = parser.parse(whole);
  if (!json) throw std::runtime_error("cannot read " + path);
  const JsonValue admin = json->find("admin").value_or(JsonValue());
  return {text_at(*json, "identity"), text_at(*json, "compute"), text_at(*json, "image"),
          text_at(*json, "network"),  text_at(*json, "region"),  text_at(admin, "username"),
          text_at(admin, "password"), text_at(admin, "project"), text_at(admin, "domain")};
}

OpenstackWitness::OpenstackWitness(OpenstackBed bed) : bed_(std::move(bed)) { log_in(); }

void OpenstackWitness::log_in() {
  base::JsonWriter w;
  w.begin_object().key("auth").begin_object().key("identity").begin_object();
  w.key("methods").begin_array().value("password").end_array();
  w.key("password").begin_object().key("user").begin_object();
  w.member("name", bed_.user).member("password", bed_.password);
  w.key("domain").begin_object().member("name", bed_.domain).end_object();
  w.end_object().end_object().end_object();
  w.key("scope").begin_object().key("project").begin_object().member("name", bed_.project);
  w.key("domain").begin_object().member("name", bed_.domain).end_object();
  w.end_object().end_object().end_object().end_object();
  const Answer answer = call("POST", bed_.identity + "/auth/tokens", w.text());
  if (answer.status != 201) throw std::runtime_error("the bed's Keystone lets nobody in");
  token_ = answer.token;
}

OpenstackWitness::Answer OpenstackWitness::call(const std::string& method, const std::string& url,
                                                const std::string& body, const std::string& type) {
  base::HttpRequest request;
  request.method = method;
  request.url = url;
  request.body = body;
  request.timeout = 120s;
  request.max_body_bytes = std::size_t{64} << 20U;
  request.headers = {{"Content-Type", type}, {"OpenStack-API-Version", "compute 2.79"}};
  if (!token_.empty()) request.headers.push_back({"X-Auth-Token", token_});
  const base::HttpResult answer = http_.send(request);
  if (!answer) throw std::runtime_error(url + ": " + answer.error().message);
  return {answer->status, answer->body, std::string(answer->header("X-Subject-Token"))};
}

JsonValue OpenstackWitness::get(const std::string& url, std::string_view member) {
  Answer answer = call("GET", url);
  if (answer.status != 200) throw std::runtime_error(fmt::format("{}: {}", url, answer.status));
  body_ = std::move(answer.body);
  const auto json = parser_.parse(body_);
  const auto value = json ? json->find(member) : std::nullopt;
  if (!value) throw std::runtime_error(url + " says nothing of " + std::string(member));
  return *value;
}

std::vector<CountedVm> OpenstackWitness::vms(const std::string& installation) {
  std::vector<CountedVm> out;
  std::vector<std::string> ids;
  for (JsonArrayIterator it(get(bed_.compute + "/servers/detail?limit=1000", "servers")); it;
       ++it) {
    const JsonValue server = it.value();
    const JsonValue metadata = server.find("metadata").value_or(JsonValue());
    if (text_at(metadata, "slipway_installation") != installation) continue;
    const JsonValue flavor = server.find("flavor").value_or(JsonValue());
    CountedVm& vm = out.emplace_back();
    vm.key = text_at(metadata, "slipway_key");
    vm.ref = text_at(server, "id");
    vm.name = text_at(server, "name");
    vm.state = word_of(text_at(server, "status"));
    vm.host = text_at(server, "OS-EXT-SRV-ATTR:host");
    vm.vcpus = number_at(flavor, "vcpus");
    vm.memory_mb = number_at(flavor, "ram");
    vm.image = text_at(server.find("image").value_or(JsonValue()), "id");
    vm.rest = fmt::format("{} GB {}", number_at(flavor, "disk"), rest_of(metadata));
    ids.push_back(text_at(metadata, "slipway_vm"));
  }
  for (JsonArrayIterator it(get(bed_.image + "/v2/images?limit=1000", "images")); it; ++it) {
    const std::string snapshot = text_at(it.value(), "slipway_snapshot");
    if (snapshot.empty()) continue;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (text_at(it.value(), "slipway_vm") != ids[i]) continue;
      out[i].snapshots.push_back(snapshot);
      // A snapshot that was gone back to is what the server is of; that is not compared.
      if (out[i].image == text_at(it.value(), "id")) out[i].image.clear();
    }
  }
  return out;
}

std::vector<CountedImage> OpenstackWitness::images(const std::string& installation) {
  std::vector<CountedImage> out;
  for (JsonArrayIterator it(get(bed_.image + "/v2/images?limit=1000", "images")); it; ++it) {
    const JsonValue image = it.value();
    const bool ours = text_at(image, "slipway_installation") == installation;
    const bool copy = text_at(image, "slipway_image") != text_at(image, "name");
    if (!ours || copy || !text_at(image, "slipway_snapshot").empty()) continue;
    out.push_back({text_at(image, "slipway_key"), text_at(image, "id")});
  }
  return out;
}

std::vector<std::string> OpenstackWitness::loose_ports(const std::string& installation) {
  std::set<std::string> servers;
  for (const CountedVm& vm : vms(installation)) servers.insert(vm.ref);
  std::vector<std::string> out;
  for (JsonArrayIterator it(get(bed_.network + "/v2.0/ports", "ports")); it; ++it) {
    const bool ours = text_at(it.value(), "description").find(installation) != std::string::npos;
    if (!ours || servers.contains(text_at(it.value(), "device_id"))) continue;
    out.push_back(text_at(it.value(), "id"));
  }
  return out;
}

bool OpenstackWitness::has_server(const std::string& id) {
  return call("GET", bed_.compute + "/servers/" + id).status == 200;
}

std::string OpenstackWitness::image_named(const std::string& name) {
  for (JsonArrayIterator it(get(bed_.image + "/v2/images?limit=1000", "images")); it; ++it) {
    const bool active = text_at(it.value(), "status") == "active";
    if (active && text_at(it.value(), "name") == name) return text_at(it.value(), "id");
  }
  return {};
}

std::string OpenstackWitness::make_image(const std::string& name) {
  base::JsonWriter w;
  w.begin_object().member("name", name).member("disk_format", "raw");
  w.member("container_format", "bare").end_object();
  const Answer made = call("POST", bed_.image + "/v2/images", w.text());
  const auto json = parser_.parse(made.body);
  if (made.status != 201 || !json) throw std::runtime_error("Glance makes no image");
  const std::string id = text_at(*json, "id");
  const Answer sent = call("PUT", bed_.image + "/v2/images/" + id + "/file", std::string(1024, 'x'),
                           "application/octet-stream");
  if (sent.status != 204) throw std::runtime_error("Glance takes no image");
  return id;
}

std::string OpenstackWitness::network_named(const std::string& name) {
  for (JsonArrayIterator it(get(bed_.network + "/v2.0/networks", "networks")); it; ++it) {
    if (text_at(it.value(), "name") == name) return text_at(it.value(), "id");
  }
  throw std::runtime_error("the bed has no network " + name);
}

std::string OpenstackWitness::make_server(const std::string& name, const std::string& image,
                                          const std::string& network) {
  base::JsonWriter w;
  w.begin_object().key("server").begin_object();
  w.member("name", name).member("imageRef", image).member("flavorRef", "42");
  w.key("networks").begin_array().begin_object().member("uuid", network).end_object().end_array();
  w.end_object().end_object();
  const Answer made = call("POST", bed_.compute + "/servers", w.text());
  const auto json = parser_.parse(made.body);
  if (made.status != 202 || !json) throw std::runtime_error("Nova makes no server");
  return text_at(json->find("server").value_or(JsonValue()), "id");
}

void OpenstackWitness::remove_server(const std::string& id) {
  const auto give_up_at = std::chrono::steady_clock::now() + 2min;
  call("DELETE", bed_.compute + "/servers/" + id);
  while (has_server(id)) {
    if (std::chrono::steady_clock::now() > give_up_at) throw std::runtime_error(id + " stays");
    std::this_thread::sleep_for(500ms);
  }
}

void OpenstackWitness::remove_all(const std::string& installation) {
  for (const CountedVm& vm : vms(installation)) remove_server(vm.ref);
  for (const std::string& port : loose_ports(installation)) {
    call("DELETE", bed_.network + "/v2.0/ports/" + port);
  }
  std::vector<std::string> ids;
  for (JsonArrayIterator it(get(bed_.image + "/v2/images?limit=1000", "images")); it; ++it) {
    const bool ours = text_at(it.value(), "slipway_installation") == installation;
    if (ours) ids.push_back(text_at(it.value(), "id"));
  }
  for (const std::string& id : ids) call("DELETE", bed_.image + "/v2/images/" + id);
}

}  // namespace slipway::workers::contract
