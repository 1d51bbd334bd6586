#pragma once
// Somebody who waits for an answer, in whose form errors are to be written. A copy is a handle on
// the same answer.
#include "api/edge/problem.hpp"
#include "api/edge/responder.hpp"

namespace slipway::api {

struct Client {
  Responder reply;
  const ErrorRenderer* errors = &kProblems;  // of a dialect; lives as long as the program

  void send(Response response) const { reply.send(std::move(response)); }
  void fail(const base::Error& error) const {
    reply.send((*errors)(error_info(error, reply.request_id(), reply.trace_id())));
  }
  void fail(base::Errc code, std::string message) const {
    fail(base::Error{code, std::move(message), {}});
  }

  static const ErrorRenderer kProblems;
};
inline const ErrorRenderer Client::kProblems = render_problem;

}  // namespace slipway::api
