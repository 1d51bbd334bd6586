#pragma once
// A client of dialect nano, logged in as the demo user: answers as JSON, envelopes taken apart.
#include "tests/api/test_server.hpp"

namespace slipway::api::test {

struct NanoAnswer {
  int status = 0;
  int code = -1;
  std::string message;
  Json data;
  std::string text;  // the body as sent
  bool ok() const { return (status / 100 == 2) && code == 0; }
};

class NanoClient {
 public:
  explicit NanoClient(const TestServer& server, std::string_view user = "demo",
                      std::string_view password = "test");

  NanoAnswer get(std::string_view path) const { return send("GET", path, ""); }
  NanoAnswer post(std::string_view path, std::string_view body = "") const {
    return send("POST", path, body);
  }
  NanoAnswer put(std::string_view path, std::string_view body = "") const {
    return send("PUT", path, body);
  }
  NanoAnswer remove(std::string_view path, std::string_view body = "") const {
    return send("DELETE", path, body);
  }
  NanoAnswer send(std::string_view method, std::string_view path, std::string_view body) const;

  const std::string& session() const { return session_; }
  const NanoAnswer& login() const { return login_; }
  NanoClient& at(std::string base) {
    base_ = std::move(base);
    return *this;
  }

 private:
  const TestServer& server_;
  std::string base_ = "/d/nano";
  std::string session_;
  NanoAnswer login_;
};

}  // namespace slipway::api::test
