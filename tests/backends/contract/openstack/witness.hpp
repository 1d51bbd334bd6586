#pragma once
// What an OpenStack project has, by plain calls of its APIs as an administrator.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/http_client.hpp"
#include "core/base/json_read.hpp"
#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {

// Of a bed's endpoints.json.
struct OpenstackBed {
  std::string identity;
  std::string compute;
  std::string image;
  std::string network;
  std::string region;
  std::string user;
  std::string password;
  std::string project;
  std::string domain;
};
OpenstackBed read_openstack_bed(const std::string& path);

// Throws std::runtime_error for an answer that it did not count on.
class OpenstackWitness {
 public:
  explicit OpenstackWitness(OpenstackBed bed);

  std::vector<CountedVm> vms(const std::string& installation);
  std::vector<CountedImage> images(const std::string& installation);
  // Ports of ours that no server has.
  std::vector<std::string> loose_ports(const std::string& installation);
  bool has_server(const std::string& id);

  std::string image_named(const std::string& name);  // its id; empty: there is none
  std::string make_image(const std::string& name);
  std::string network_named(const std::string& name);
  std::string make_server(const std::string& name, const std::string& image,
                          const std::string& network);
  // Returns when it is gone.
  void remove_server(const std::string& id);
  void remove_all(const std::string& installation);

 private:
  struct Answer {
    int status = 0;
    std::string body;
    std::string token;
  };
  Answer call(const std::string& method, const std::string& url, const std::string& body = {},
              const std::string& type = "application/json");
  base::JsonValue get(const std::string& url, std::string_view member);
  void log_in();

  OpenstackBed bed_;
  base::HttpClient http_;
  base::JsonParser parser_{{.depth = 64, .elements_per_array = 100000}};
  std::string body_;  // that parser_ has read
  std::string token_;
};

}  // namespace slipway::workers::contract
