#pragma once
// POST /virtual_machines: the request's four fields, and the answer that has the id of a VM which
// does not exist yet, and its password once.
#include "api/submit.hpp"

namespace slipway::api::vmfront {

// InvalidArgument, with the original's text, if fields are missing. Others are passed over.
base::Result<domain::CreateVm> parse_create(std::string_view body, const base::JsonLimits& limits);

class CreatedServer final : public AnswerForm {
 public:
  CreatedServer(domain::VmId vm, domain::TaskId task, std::string host, domain::SecretRef ref,
                base::Secret password)
      : vm_(vm),
        task_(task),
        host_(std::move(host)),
        ref_(std::move(ref)),
        password_(std::move(password)) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override;
  std::string_view secret() const override { return password_.reveal(); }
  void finish(Response& response, const eventstore::Answer& answer) const override;

 private:
  const domain::VmId vm_;
  const domain::TaskId task_;
  const std::string host_;
  const domain::SecretRef ref_;
  const base::Secret password_;
};

}  // namespace slipway::api::vmfront
