#pragma once
// A cloud that answers from a script: Keystone's token and catalog, Nova's versions, and a flavor,
// an image and a network that everything may use. A test adds what it is about.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/backends/openstack/bed/calls.hpp"
#include "tests/support/scripted_server.hpp"
#include "workers/backends/openstack/openstack_backend.hpp"

namespace slipway::workers::openstack::test {

using domain::CommandKind;
using domain::WorkOrder;
using slipway::test::Reply;
using slipway::test::ScriptedServer;
using slipway::test::Seen;
using Kind = BackendAnswer::Kind;
using namespace std::chrono_literals;

class ScriptedCloud : public testing::Test {
 protected:
  ScriptedCloud();
  ~ScriptedCloud() override { backend.reset(); }  // before the server, whose stop waits for calls

  // Opens the backend with `options` as they are now.
  void open();
  Calls& calls();

  // Keystone's answer: token "token-<n>", n counting from 1, that lives so long.
  Reply token(base::Duration life = 1h);
  static std::string server_json(const std::string& id, const std::string& status,
                                 const std::string& task = "null", const std::string& more = "");
  // GET /servers/detail answers so from now on; each a server_json().
  void list_servers(const std::vector<std::string>& servers);

  WorkOrder order(CommandKind command = CommandKind::VmCreate) const;
  // Of the VM "vm-1".
  WorkOrder order_on(CommandKind command) const;

  ScriptedServer server;
  Options options;
  std::unique_ptr<OpenstackBackend> backend;

 private:
  std::unique_ptr<Calls> calls_;
  std::atomic<int> tokens_{0};
};

inline Reply json(int status, std::string body) { return {status, std::move(body)}; }
// Nova's kind of fault.
Reply fault(int status, const std::string& message);

}  // namespace slipway::workers::openstack::test
