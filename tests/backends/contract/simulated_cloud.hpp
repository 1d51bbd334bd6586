#pragma once
// The simulated cloud under the suite: its SQLite file, which the witness opens by itself.
#include <filesystem>
#include <memory>
#include <string>

#include "tests/backends/contract/cloud.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::workers::contract {

class SimulatedCloud final : public CloudUnderTest {
 public:
  enum class Face : std::uint8_t {
    Inline,    // on the worker's thread, in virtual time
    Threaded,  // as the service runs it, in real time
  };
  explicit SimulatedCloud(Face face, bool forgetful = false);
  ~SimulatedCloud() override;

  Offer offer() const override;
  static bool offers_it(domain::CommandKind) { return true; }
  bool offers(domain::CommandKind command) const override { return offers_it(command); }
  const std::string& installation() const override { return installation_; }
  std::unique_ptr<Backend> connect() override;
  Census census() override;
  bool virtual_time() const override { return face_ == Face::Inline; }
  base::Duration real_pause() const override { return std::chrono::milliseconds(1); }
  void lose_vm(const std::string& ref) override;
  void add_foreign_vm() override;

  // How many VMs were ever made under a task's key, those deleted since included.
  std::uint64_t made_by(const domain::TaskId& task);
  simulated::Store& store() { return *witness_; }

 private:
  simulated::Options options() const;

  const Face face_;
  const bool forgetful_;
  const std::string installation_ = "contract-suite";
  base::SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<simulated::Store> witness_;
};

}  // namespace slipway::workers::contract
