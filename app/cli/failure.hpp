#pragma once
// Why a command did not do what it was asked: what to say, what to try next, how to exit.
#include <string>

#include "app/cli/exit_code.hpp"
#include "app/cli/json.hpp"
#include "app/cli/terminal.hpp"
#include "core/base/http_client.hpp"

namespace slipway::app::cli {

struct Failure {
  Exit exit = Exit::Failed;
  std::string summary;          // one sentence, lower case
  std::string next = {};        // the next thing to try; may be empty
  std::string request_id = {};  // empty if the server never answered
  Json problem = {};            // as the server sent it; null if it sent none
};

Failure usage_failure(std::string summary, std::string next = "");

// From an answer of 400 or more. `noun` ("vm", "task", ...) helps to say what to try.
Failure failure_of(const base::HttpResponse& answer, const std::string& noun);

// To stderr: the problem itself where JSON was asked for, else sentences.
void print_failure(Terminal& terminal, const Failure& failure, bool as_json);

}  // namespace slipway::app::cli
