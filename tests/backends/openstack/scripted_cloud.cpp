#include "tests/backends/openstack/scripted_cloud.hpp"

#include <fmt/format.h>

#include "core/base/clock.hpp"

namespace slipway::workers::openstack::test {

ScriptedCloud::ScriptedCloud() {
  options.name = "scripted";
  options.auth_url = server.url() + "/identity";
  options.region = "RegionOne";
  options.user_name = "demo";
  options.project_name = "demo";
  options.password = base::Secret("a-password");
  options.poll_interval = 20ms;
  options.request_timeout = 5s;
  options.call_timeout = 20s;

  server.on("POST", "/identity/v3/auth/tokens", [this](const Seen&) { return token(); });
  server.on("GET", "/compute/v2.1/",
            {json(200, R"({"version":{"id":"v2.1","version":"2.93","min_version":"2.1"}})")});
  server.on("GET", "/compute/v2.1/flavors/detail",
            {json(200, R"({"flavors":[{"id":"1","name":"m1.tiny","vcpus":1,"ram":512,"disk":1},)"
                       R"({"id":"2","name":"m1.small","vcpus":1,"ram":2048,"disk":20}]})")});
  server.on("GET", "/image/v2/images",
            {json(200, R"({"images":[{"id":"image-1","name":"debian","status":"active"}]})")});
  server.on("GET", "/network/v2.0/networks",
            {json(200, R"({"networks":[{"id":"net-1","name":"private","admin_state_up":true,)"
                       R"("router:external":false,"subnets":["subnet-1"]}]})")});
  server.on("POST", "/network/v2.0/ports", {json(201, R"({"port":{"id":"port-1"}})")});
  server.on("GET", "/network/v2.0/ports", {json(200, R"({"ports":[]})")});
  server.on("GET", "/compute/v2.1/servers", {json(200, R"({"servers":[]})")});
  server.on("POST", "/compute/v2.1/servers", {json(202, R"({"server":{"id":"vm-1"}})")});
  list_servers({});
}

void ScriptedCloud::open() {
  auto opened = OpenstackBackend::open(std::move(options));
  ASSERT_TRUE(opened) << opened.error().message;
  backend = std::move(*opened);
  calls_ = std::make_unique<Calls>(*backend);
}

Calls& ScriptedCloud::calls() {
  if (!backend) open();
  return *calls_;
}

Reply ScriptedCloud::token(base::Duration life) {
  const base::Time now = base::SystemClock().now();
  std::string catalog;
  for (const char* type : {"compute", "network", "image"}) {
    const std::string path = std::string(type) == "compute" ? "compute/v2.1" : type;
    catalog +=
        fmt::format(R"({}{{"type":"{}","endpoints":[{{"interface":"internal","region":"RegionOne",)"
                    R"("url":"http://127.0.0.1:1/"}},{{"interface":"public","region":"Elsewhere",)"
                    R"("url":"http://127.0.0.1:1/"}},{{"interface":"public","region":"RegionOne",)"
                    R"("url":"{}/{}"}}]}})",
                    catalog.empty() ? "" : ",", type, server.url(), path);
  }
  Reply reply = json(201, fmt::format(R"({{"token":{{"issued_at":"{}","expires_at":"{}",)"
                                      R"("project":{{"id":"project-1"}},"catalog":[{}]}}}})",
                                      base::rfc3339(now), base::rfc3339(now + life), catalog));
  reply.headers = {{"X-Subject-Token", fmt::format("token-{}", ++tokens_)}};
  return reply;
}

std::string ScriptedCloud::server_json(const std::string& id, const std::string& status,
                                       const std::string& task, const std::string& more) {
  return fmt::format(
      R"({{"id":"{}","name":"web","status":"{}","OS-EXT-STS:task_state":{},"hostId":"h1",)"
      R"("flavor":{{"original_name":"m1.tiny","vcpus":1,"ram":512,"disk":1}},)"
      R"("addresses":{{"private":[{{"version":4,"addr":"10.0.0.5","OS-EXT-IPS:type":"fixed",)"
      R"("OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:05"}}]}},"metadata":{{}}{}}})",
      id, status, task == "null" ? task : '"' + task + '"', more);
}

void ScriptedCloud::list_servers(const std::vector<std::string>& servers) {
  std::string list;
  for (const std::string& one : servers) list += (list.empty() ? "" : ",") + one;
  server.on("GET", "/compute/v2.1/servers/detail", {json(200, R"({"servers":[)" + list + "]}")});
}

WorkOrder ScriptedCloud::order(CommandKind command) const {
  WorkOrder order;
  order.task = fresh_task();
  order.token = 1;
  order.command = command;
  order.vm = fresh_vm();
  order.installation = "installation-1";
  order.spec.name = "web";
  order.spec.size = {"1", 1, 512, 1};
  order.image_name = "debian";
  return order;
}

WorkOrder ScriptedCloud::order_on(CommandKind command) const {
  WorkOrder on = order(command);
  on.vm_ref = "vm-1";
  return on;
}

Reply fault(int status, const std::string& message) {
  Reply reply =
      json(status, fmt::format(R"({{"fault":{{"code":{},"message":"{}"}}}})", status, message));
  reply.headers = {{"x-openstack-request-id", "req-77"}};
  return reply;
}

}  // namespace slipway::workers::openstack::test
