#pragma once
// The test bed seen directly, past the code under test: what is really there, and how it is broken.
#include <map>
#include <string>
#include <vector>

#include "core/base/http_client.hpp"
#include "core/base/json_read.hpp"
#include "workers/backends/openstack/options.hpp"

namespace slipway::workers::openstack::test {

class BedCloud {
 public:
  // `who` of endpoints.json: user, admin, limited. Ends the process if the bed is not up.
  explicit BedCloud(const std::string& who);

  // For the backend under test, as the same user.
  Options options() const;

  struct Answer {
    int status = 0;
    std::string body;
    base::JsonValue json;  // until the next call
  };
  enum class Service { Identity, Compute, Network, Image };
  Answer call(Service service, const std::string& method, const std::string& path,
              const std::string& body = {});

  // "ACTIVE" and such; GONE if Nova does not know it.
  std::string status(const std::string& server);
  std::string field(const std::string& server, const std::string& name);  // a text of it
  std::string metadata(const std::string& server, const std::string& name);
  std::string image_of(const std::string& server);
  std::uint32_t flavor_memory(const std::string& server);
  std::size_t servers_with_key(const std::string& key);
  std::size_t ports_named(const std::string& name);
  std::string image_status(const std::string& image);
  std::string image_id(const std::string& name);
  std::string network_id(const std::string& name);
  // A user of his own, with the same rights in the same project, whose tokens can be revoked
  // without harm to others: by setting his password. Returns his id.
  std::string make_user(const std::string& name, const std::string& password);
  bool set_password(const std::string& user, const std::string& password);
  void remove_user(const std::string& user) { call(Service::Identity, "DELETE", "/users/" + user); }
  // Servers and images whose name begins so.
  void remove_all(const std::string& prefix);
  std::size_t count(const std::string& prefix);  // servers

  // inject.json, read at each operation of the pretended hypervisor; empty removes it.
  static void inject(const std::string& json);
  // Signals the process that runs as `service`, and its workers ("keystone", "nova-compute1").
  static void signal(const std::string& service, int number);

 private:
  void log_in();
  static std::string state_dir();

  std::string who_;
  std::map<std::string, std::string> urls_;
  std::string user_, password_, project_;
  std::string token_;
  base::HttpClient http_;
  base::JsonParser parser_{{.depth = 64, .string_bytes = 1 << 20}};
};

}  // namespace slipway::workers::openstack::test
