#pragma once
// The answers of accepted commands, rendered from the live state in which the command's events are
// folded: so they show what the command has done, before any read model knows.
#include "api/dialects/reservation/wire.hpp"
#include "api/submit.hpp"

namespace slipway::api::reservation {

class Form : public AnswerForm {
 public:
  // `status`: of the specification; `modern` where the later services answer another.
  Form(domain::TaskId task, View view, int status)
      : task_(task), view_(std::move(view)), status_(status) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override {
    eventstore::Answer answer;
    answer.task = task_;
    answer.status = status_;
    base::JsonWriter w;
    write(w, accepted.world);
    answer.body = w.text();
    return answer;
  }
  void finish(Response& response, const eventstore::Answer&) const override {
    response = dress(std::move(response));
    response.type = kType;
  }

 protected:
  virtual void write(base::JsonWriter& w, const domain::World& world) const = 0;
  const View& view() const { return view_; }

 private:
  const domain::TaskId task_;
  const View view_;
  const int status_;
};

class LeaseForm final : public Form {
 public:
  LeaseForm(domain::TaskId task, View view, int status, domain::LeaseId lease)
      : Form(task, std::move(view), status), lease_(lease) {}

 private:
  void write(base::JsonWriter& w, const domain::World& world) const override {
    w.begin_object().key("lease");
    write_lease(w, *world.leases().lease(lease_), view());
    w.end_object();
  }
  const domain::LeaseId lease_;
};

// {"host": {...}}; with `flat` its members stand beside it too, as the sample of the update has it.
class HostForm final : public Form {
 public:
  HostForm(domain::TaskId task, View view, int status, std::string host, bool flat)
      : Form(task, std::move(view), status), host_(std::move(host)), flat_(flat) {}

 private:
  void write(base::JsonWriter& w, const domain::World& world) const override;
  const std::string host_;
  const bool flat_;
};

class PropertyForm final : public Form {
 public:
  PropertyForm(domain::TaskId task, View view, std::string property, bool is_private)
      : Form(task, std::move(view), 200), property_(std::move(property)), is_private_(is_private) {}

 private:
  void write(base::JsonWriter& w, const domain::World&) const override {
    w.begin_object().key("resource_property").begin_object().member("property", property_);
    w.member("private", is_private_).end_object().end_object();
  }
  const std::string property_;
  const bool is_private_;
};

class FloatingIpForm final : public Form {
 public:
  FloatingIpForm(domain::TaskId task, View view, domain::FloatingIpId ip, base::Time now)
      : Form(task, std::move(view), 201), ip_(ip), now_(now) {}

 private:
  void write(base::JsonWriter& w, const domain::World& world) const override {
    w.begin_object().key("floatingip");
    write_floating_ip(w, *world.leases().floating_ip(ip_), now_);
    w.end_object();
  }
  const domain::FloatingIpId ip_;
  const base::Time now_;
};

class EmptyForm final : public Form {
 public:
  EmptyForm(domain::TaskId task, View view) : Form(task, std::move(view), 204) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override {
    eventstore::Answer answer = Form::render(accepted);
    answer.body.clear();
    return answer;
  }

 private:
  void write(base::JsonWriter& w, const domain::World&) const override { w.null(); }
};

}  // namespace slipway::api::reservation
