#pragma once
// What one OpenStack cloud needs to be told. Only administrators set it (docs/backends/openstack.md
// has the table with what to weigh).
#include <cstdint>
#include <map>
#include <string>

#include "core/base/secret.hpp"
#include "core/base/time.hpp"

namespace slipway::workers::openstack {

struct Options {
  std::string name;      // of the backend in this installation
  std::string auth_url;  // Keystone's: "https://keystone.example:5000/v3"
  std::string region;    // empty: the catalog's first
  std::string interface = "public";

  // By password, or by application credential if that has an id.
  std::string project_name;
  std::string project_domain = "Default";
  std::string user_name;
  std::string user_domain = "Default";
  base::Secret password;
  std::string credential_id;
  base::Secret credential_secret;

  std::string ca_file;     // PEM; empty: the system's
  bool verify_tls = true;  // false: whoever answers gets the password
  // By service type (compute, network, image), where the catalog's URL cannot be reached.
  std::map<std::string, std::string> endpoints;

  std::string network;  // name or id, for VMs whose order names none; empty: the first usable
  std::string availability_zone;  // empty: the cloud chooses
  bool create_flavors = false;    // needs an admin: makes a private flavor where none fits

  base::Duration call_timeout = std::chrono::seconds(120);    // of an operation
  base::Duration request_timeout = std::chrono::seconds(60);  // of one API call in it
  base::Duration auth_timeout = std::chrono::seconds(20);     // of a call to Keystone
  base::Duration settle_time = std::chrono::seconds(10);
  base::Duration poll_interval = std::chrono::seconds(1);
  std::uint32_t max_in_flight = 64;  // API calls; others wait their turn
  std::uint32_t page_size = 500;     // of lists
  // The highest microversion of Nova to use, "2.x". From 2.69 on a list says which cells are
  // silent; tags of servers need 2.52.
  std::uint32_t compute_microversion = 79;
};

}  // namespace slipway::workers::openstack
