#include "tests/api/nano_client.hpp"

#include <fmt/format.h>

namespace slipway::api::test {

NanoClient::NanoClient(const TestServer& server, std::string_view user, std::string_view password)
    : server_(server) {
  const Json body{{"user", user}, {"password", password}, {"nonce", "1234567890"}};
  login_ = post("/sessions/", body.dump());
  if (login_.ok()) session_ = login_.data.value("session", "");
}

NanoAnswer NanoClient::send(std::string_view method, std::string_view path,
                            std::string_view body) const {
  std::string request = fmt::format("{} {}{} HTTP/1.1\r\nHost: test\r\n", method, base_, path);
  if (!session_.empty()) request += fmt::format("Nano-Session: {}\r\n", session_);
  request += fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
  const Answer answer = server_.ask(request);
  NanoAnswer out;
  out.status = answer.status;
  out.text = answer.body;
  const Json json = json_of(answer);
  if (!json.is_object()) return out;
  out.code = json.value("error_code", -1);
  out.message = json.value("message", "");
  if (json.contains("data")) out.data = json["data"];
  return out;
}

}  // namespace slipway::api::test
