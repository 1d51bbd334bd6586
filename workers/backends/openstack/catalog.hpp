#pragma once
// The cloud's own ids of what orders name: flavors by their numbers, images and networks by their
// names. Answers are remembered for a short time. On the loop's thread.
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "workers/backends/openstack/api.hpp"

namespace slipway::workers::openstack {

// What was wanted, or why it is not to be had.
template <class T>
using Outcome = tl::expected<T, BackendError>;

class Catalog {
 public:
  Catalog(const Options& options, Api& api)
      : options_(options), api_(api), flavor_turns_(api.loop()), name_turns_(api.loop()) {}

  // The flavor of that id if it has these numbers, else any that has; else one is made, where that
  // is allowed; else a refusal.
  Async<Outcome<std::string>> flavor(domain::Size size, base::SteadyTime deadline);
  Async<Outcome<std::vector<domain::Flavor>>> flavors(base::SteadyTime deadline);
  // `ref` if it is not empty; else the newest active image of that name.
  Async<Outcome<std::string>> image(std::string ref, std::string name, base::SteadyTime deadline);
  // `ref`; else the network of that name; else the configured one; with no name at all, the first
  // that VMs can use.
  Async<Outcome<std::string>> network(std::string ref, std::string name, base::SteadyTime deadline);

  // The id of a flavor that a server gives by name; empty if it is not known.
  std::string flavor_id(std::string_view name_or_id) const;
  // Something that was named turned out not to be there: ask anew next time.
  void forget() {
    named_.clear();
    flavors_until_ = {};
  }

 private:
  struct Named {
    std::string id;
    base::SteadyTime until{};
  };
  const std::string* known(const std::string& key) const;
  void remember(std::string key, std::string id);
  const domain::Flavor* fitting(const domain::Size& size) const;
  Async<std::optional<BackendError>> list_flavors(base::SteadyTime deadline);
  Async<Outcome<std::string>> make_flavor(domain::Size size, base::SteadyTime deadline);
  Async<Outcome<std::string>> find_network(std::string name, base::SteadyTime deadline);

  const Options& options_;
  Api& api_;
  Turns flavor_turns_, name_turns_;  // twenty creates at once ask once
  std::vector<domain::Flavor> flavors_;
  base::SteadyTime flavors_until_{};
  std::map<std::string, Named> named_;
};

}  // namespace slipway::workers::openstack
