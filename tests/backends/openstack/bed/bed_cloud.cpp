#include "tests/backends/openstack/bed/bed_cloud.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "workers/backends/openstack/api.hpp"

namespace slipway::workers::openstack::test {

namespace {

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "test bed: {}\n", why);
  std::exit(2);
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string BedCloud::state_dir() {
  const char* dir = std::getenv("OPENSTACK_STATE");
  return dir == nullptr ? "/tmp/openstack" : dir;
}

BedCloud::BedCloud(const std::string& who) : who_(who) {
  const std::string text = contents(state_dir() + "/endpoints.json");
  const auto json = parser_.parse(text);
  if (!json) give_up("no endpoints.json in " + state_dir());
  for (const char* name : {"identity", "compute", "network", "image"}) {
    urls_[name] = text_of(*json, name);
  }
  const base::JsonValue account = member_of(*json, who);
  user_ = text_of(account, "username");
  password_ = text_of(account, "password");
  project_ = text_of(account, "project");
  log_in();
}

void BedCloud::log_in() {
  base::HttpRequest request;
  request.method = "POST";
  request.url = urls_["identity"] + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = fmt::format(
      R"({{"auth":{{"identity":{{"methods":["password"],"password":{{"user":{{"name":"{}",)"
      R"("domain":{{"name":"Default"}},"password":"{}"}}}}}},"scope":{{"project":{{"name":"{}",)"
      R"("domain":{{"name":"Default"}}}}}}}}}})",
      user_, password_, project_);
  const auto answer = http_.send(request);
  if (!answer || answer->status != 201) give_up("cannot log in as " + who_);
  token_ = answer->header("X-Subject-Token");
}

Options BedCloud::options() const {
  Options out;
  out.name = "bed";
  out.auth_url = urls_.at("identity");
  out.region = "RegionOne";
  out.project_name = project_;
  out.user_name = user_;
  out.password = base::Secret(password_);
  out.network = who_ == "limited" ? "shared" : "private";
  return out;
}

BedCloud::Answer BedCloud::call(Service service, const std::string& method, const std::string& path,
                                const std::string& body) {
  constexpr const char* kNames[] = {"identity", "compute", "network", "image"};
  base::HttpRequest request;
  request.method = method;
  request.url = urls_[kNames[static_cast<std::size_t>(service)]] + path;
  request.headers = {{"X-Auth-Token", token_},
                     {"OpenStack-API-Version", "compute 2.79"},
                     {"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = std::chrono::seconds(60);
  const auto answer = http_.send(request);
  if (!answer) give_up(method + " " + path + ": " + answer.error().message);
  Answer out;
  out.status = answer->status;
  out.body = answer->body;
  const auto json = parser_.parse(out.body);
  if (json) out.json = *json;
  return out;
}

std::string BedCloud::status(const std::string& server) { return field(server, "status"); }

std::string BedCloud::field(const std::string& server, const std::string& name) {
  const Answer answer = call(Service::Compute, "GET", "/servers/" + server);
  if (answer.status == 404) return "GONE";
  return std::string(text_of(member_of(answer.json, "server"), name));
}

std::string BedCloud::metadata(const std::string& server, const std::string& name) {
  const Answer answer = call(Service::Compute, "GET", "/servers/" + server);
  return std::string(text_of(member_of(member_of(answer.json, "server"), "metadata"), name));
}

std::string BedCloud::image_of(const std::string& server) {
  const Answer answer = call(Service::Compute, "GET", "/servers/" + server);
  return std::string(text_of(member_of(member_of(answer.json, "server"), "image"), "id"));
}

std::uint32_t BedCloud::flavor_memory(const std::string& server) {
  const Answer answer = call(Service::Compute, "GET", "/servers/" + server);
  return small_number_of(member_of(member_of(answer.json, "server"), "flavor"), "ram");
}

std::size_t BedCloud::servers_with_key(const std::string& key) {
  const Answer answer = call(Service::Compute, "GET", "/servers/detail");
  std::size_t count = 0;
  for (base::JsonArrayIterator it(member_of(answer.json, "servers")); it; ++it) {
    count += text_of(member_of(it.value(), "metadata"), "slipway_key") == key ? 1 : 0;
  }
  return count;
}

std::size_t BedCloud::ports_named(const std::string& name) {
  return member_of(call(Service::Network, "GET", "/v2.0/ports?name=" + name).json, "ports").size();
}

std::string BedCloud::image_status(const std::string& image) {
  const Answer answer = call(Service::Image, "GET", "/v2/images/" + image);
  return answer.status == 404 ? "GONE" : std::string(text_of(answer.json, "status"));
}

std::string BedCloud::image_id(const std::string& name) {
  const Answer answer = call(Service::Image, "GET", "/v2/images?name=" + encoded(name));
  base::JsonArrayIterator it(member_of(answer.json, "images"));
  return it ? std::string(text_of(it.value(), "id")) : std::string();
}

std::string BedCloud::network_id(const std::string& name) {
  const Answer answer = call(Service::Network, "GET", "/v2.0/networks?name=" + name);
  base::JsonArrayIterator it(member_of(answer.json, "networks"));
  return it ? std::string(text_of(it.value(), "id")) : std::string();
}

std::string BedCloud::make_user(const std::string& name, const std::string& password) {
  const auto first_id = [&](const std::string& path, const std::string& list) {
    base::JsonArrayIterator it(member_of(call(Service::Identity, "GET", path).json, list));
    return it ? std::string(text_of(it.value(), "id")) : std::string();
  };
  const std::string project = first_id("/projects?name=" + project_, "projects");
  const std::string role = first_id("/roles?name=admin", "roles");
  const Answer made = call(Service::Identity, "POST", "/users",
                           fmt::format(R"({{"user":{{"name":"{}","password":"{}",)"
                                       R"("domain_id":"default"}}}})",
                                       name, password));
  std::string id(text_of(member_of(made.json, "user"), "id"));
  call(Service::Identity, "PUT", fmt::format("/projects/{}/users/{}/roles/{}", project, id, role));
  return id;
}

bool BedCloud::set_password(const std::string& user, const std::string& password) {
  return call(Service::Identity, "PATCH", "/users/" + user,
              fmt::format(R"({{"user":{{"password":"{}"}}}})", password))
             .status == 200;
}

void BedCloud::remove_all(const std::string& prefix) {
  struct Kind {
    Service service;
    std::string list, member, one;
  };
  const Kind kinds[] = {{Service::Compute, "/servers", "servers", "/servers/"},
                        {Service::Image, "/v2/images", "images", "/v2/images/"}};
  for (const Kind& kind : kinds) {
    std::vector<std::string> ids;
    const Answer answer = call(kind.service, "GET", kind.list);
    for (base::JsonArrayIterator it(member_of(answer.json, kind.member)); it; ++it) {
      if (text_of(it.value(), "name").starts_with(prefix)) {
        ids.emplace_back(text_of(it.value(), "id"));
      }
    }
    for (const std::string& id : ids) call(kind.service, "DELETE", kind.one + id);
  }
}

std::size_t BedCloud::count(const std::string& prefix) {
  const Answer answer = call(Service::Compute, "GET", "/servers");
  std::size_t count = 0;
  for (base::JsonArrayIterator it(member_of(answer.json, "servers")); it; ++it) {
    if (text_of(it.value(), "name").starts_with(prefix)) ++count;
  }
  return count;
}

void BedCloud::inject(const std::string& json) {
  const std::string path = state_dir() + "/inject.json";
  if (json.empty()) {
    std::filesystem::remove(path);
    return;
  }
  std::ofstream(path + ".new") << json;
  std::filesystem::rename(path + ".new", path);
}

void BedCloud::signal(const std::string& service, int number) {
  std::istringstream text(contents(state_dir() + "/run/" + service + ".pid"));
  pid_t pid = 0;
  if (!(text >> pid) || pid <= 1 || kill(-pid, number) != 0) give_up("cannot signal " + service);
}

}  // namespace slipway::workers::openstack::test
