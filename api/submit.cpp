#include "api/submit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/accepted_task.hpp"
#include "api/task_body.hpp"
#include "core/base/json_write.hpp"
#include "core/domain/plan.hpp"

namespace slipway::api {
namespace {

using eventstore::Accepted;
using eventstore::Answer;
using eventstore::TaskRow;

// What a dry run shows: what would be made, and by which steps.
std::string plan_body(const Accepted& accepted) {
  base::JsonWriter w;
  const domain::CommandKind kind = domain::kind_of(accepted.command.body);
  w.begin_object().member("dry_run", true).member("command", base::enum_name(kind));
  w.key("resources").begin_array();
  for (const domain::Event& event : accepted.events) {
    const auto* e = std::get_if<domain::CommandAccepted>(&event.body);
    if (e == nullptr) continue;
    for (const domain::ResourceRef& r : e->resources) base::write_json(w, r);
  }
  w.end_array().key("steps").begin_array();
  for (const domain::Step& step : domain::plan_of(kind)) {
    w.begin_object().member("name", step.name).key("undo");
    step.undo.empty() ? w.null() : w.value(step.undo);
    w.end_object();
  }
  w.end_array().key("vms").begin_array();
  for (const domain::Event& event : accepted.events) {
    const auto* e = std::get_if<domain::VmRequested>(&event.body);
    if (e == nullptr) continue;
    w.begin_object().member("id", event.stream.id).member("name", e->spec.name);
    w.member("backend", e->spec.backend).member("host", e->spec.host);
    w.member("address", e->spec.ipv4 == 0 ? "" : domain::ipv4_text(e->spec.ipv4));
    w.member("flavor", e->spec.size.flavor).end_object();
  }
  w.end_array().key("events").begin_array();
  for (const domain::Event& event : accepted.events) w.value(domain::event_type(event.body));
  return w.end_array().end_object().text();
}

// The version in a task body that was rendered earlier: for the ETag of a replayed answer.
std::string_view version_in(std::string_view body) {
  constexpr std::string_view kKey = "\"version\":";
  const std::size_t at = body.rfind(kKey);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + kKey.size();
  const std::size_t end = body.find_first_not_of("0123456789", begin);
  return body.substr(begin, end - begin);
}

void strip_args(base::Error& error) {
  constexpr std::string_view kArgs = "/args";
  for (base::FieldError& field : error.fields) {
    if (field.pointer.starts_with(kArgs)) field.pointer.erase(0, kArgs.size());
  }
}

bool is_task(const Accepted& accepted) {
  const domain::StreamId task(domain::StreamKind::Command, accepted.command.task);
  return std::any_of(accepted.events.begin(), accepted.events.end(),
                     [&](const domain::Event& e) { return e.stream == task; });
}

}  // namespace

// ---- forms ----

Response AnswerForm::finished(const TaskRow& task) const {
  Response response(200, task_body(task));
  response.add("ETag", fmt::format("\"{}\"", task.version));
  return response;
}

Answer TaskForm::render(const Accepted& accepted) {
  Answer answer;
  answer.task = task_;
  TaskRow row = accepted_task(accepted, task_, known_.get());
  if (task_ != accepted.command.task) {
    // The row that was looked up may be behind the live state, which is then what is shown.
    const domain::Task* live = accepted.world.task(task_);
    if (live != nullptr && (known_ == nullptr || live->version > row.version)) {
      row = live_task(*live);
    }
  }
  answer.body = task_body(row);
  return answer;
}

// It was there when it was looked for: one that the live state does not know has ended since, and
// the read models will say so in a moment.
base::Error TaskForm::refusal(base::Error error) const {
  if (known_ == nullptr || error.code != base::Errc::NotFound) return error;
  return {base::Errc::IllegalTransition, "the task has ended", {}};
}

void TaskForm::finish(Response& response, const Answer& answer) const {
  const std::string_view version = version_in(answer.body);
  if (!version.empty()) response.add("ETag", fmt::format("\"{}\"", version));
}

Answer FixedForm::render(const Accepted&) {
  Answer answer;
  answer.status = status_;
  answer.body = body_;
  answer.secret = slot_;
  return answer;
}

// ---- the reply ----

// Lives from the submission to the answer; the sequencer's thread calls it.
class SubmitReply final : public eventstore::Reply {
 public:
  SubmitReply(Submitter& submitter, CommandRequest& request)
      : submitter_(submitter),
        client_(request.client),
        scope_(eventstore::Scope::tenant(request.command.caller.tenant)),
        kind_(domain::kind_of(request.command.body)),
        wait_(request.dry_run ? base::Duration(0) : request.wait),
        dry_run_(request.dry_run),
        args_at_root_(request.args_at_root),
        form_(std::move(request.form)) {}

  Answer render(const Accepted& accepted) override {
    if (!dry_run_) {
      Answer answer = form_->render(accepted);
      // What is done at once is a task too, though its form is none of a task's.
      if (answer.task.is_nil() && is_task(accepted)) answer.task = accepted.command.task;
      return answer;
    }
    Answer answer;
    answer.status = 200;
    answer.body = plan_body(accepted);
    return answer;
  }

  void send(Answer&& answer, bool replayed) override {
    if (answer.secret && (replayed || form_->secret().empty())) {
      send_with_stored_secret(std::move(answer), replayed);
      return;
    }
    if (answer.secret) answer.body.insert(answer.secret->offset, form_->secret());
    send_complete(std::move(answer), replayed);
  }

  void refuse(const base::Error& error) override {
    base::Error told = form_->refusal(error);
    if (args_at_root_) strip_args(told);
    client_.fail(told);
  }

 private:
  // Reading the store may touch the disk: not on this thread.
  void send_with_stored_secret(Answer&& answer, bool replayed) {
    submitter_.services_.queries.ask(
        client_,
        [submitter = &submitter_, client = client_, scope = scope_, kind = kind_, wait = wait_,
         form = form_, answer = std::move(answer), replayed](eventstore::Reader&) mutable {
          auto value = submitter->services_.open_secret(answer.secret->ref, scope.name());
          if (value) answer.body.insert(answer.secret->offset, value->reveal());
          send_complete(*submitter, client, scope, kind, wait, form, std::move(answer), replayed);
        });
  }

  void send_complete(Answer&& answer, bool replayed) {
    send_complete(submitter_, client_, scope_, kind_, wait_, form_, std::move(answer), replayed);
  }

  static void send_complete(Submitter& submitter, const Client& client,
                            const eventstore::Scope& scope, domain::CommandKind kind,
                            base::Duration wait, const std::shared_ptr<AnswerForm>& form,
                            Answer&& answer, bool replayed) {
    Response response = message(submitter, kind, *form, answer, replayed);
    if (wait <= base::Duration(0) || answer.task.is_nil() || !form->waits()) {
      client.send(std::move(response));
      return;
    }
    const std::string applied = fmt::format("wait={}", wait.count() / 1'000'000);
    response.add("Preference-Applied", applied);
    // Shared: handed to whichever callback comes.
    auto accepted = std::make_shared<Response>(std::move(response));
    submitter.watch_.wait_fresh(
        client, scope, answer.task, answer.seq, wait,
        [&submitter, client, form, accepted, applied, replayed, id = base::to_string(answer.task),
         seq = answer.seq](const eventstore::TaskRowPtr& row) {
          if (row == nullptr || !row->terminal()) {
            client.send(std::move(*accepted));
            return;
          }
          submitter.times().observe(*row);
          Response done = form->finished(*row);
          done.add("X-Task-Id", id).add("Preference-Applied", applied);
          done.add("Slipway-Seq", fmt::to_string(std::max(seq, row->seq)));
          if (replayed) done.add("Idempotency-Replayed", "true");
          client.send(std::move(done));
        });
  }

  static Response message(const Submitter& submitter, domain::CommandKind kind,
                          const AnswerForm& form, Answer& answer, bool replayed) {
    Response response(answer.status);
    if (!answer.task.is_nil()) {
      char id[base::kUuidTextSize];
      base::format_uuid(answer.task, id);
      const std::string_view text(id, sizeof id);
      response.add("X-Task-Id", text);
      if (answer.status == 202) {
        response.add("Location", fmt::format("/core/v1/tasks/{}", text));
        response.add("Retry-After", fmt::to_string(submitter.times_.retry_after(kind)));
      }
    }
    if (answer.seq != 0) response.add("Slipway-Seq", fmt::to_string(answer.seq));
    if (replayed) response.add("Idempotency-Replayed", "true");
    form.finish(response, answer);
    if (response.body.empty()) response.body = std::move(answer.body);
    return response;
  }

  Submitter& submitter_;
  const Client client_;
  const eventstore::Scope scope_;
  const domain::CommandKind kind_;
  const base::Duration wait_;
  const bool dry_run_;
  const bool args_at_root_;
  const std::shared_ptr<AnswerForm> form_;  // shared: a wait outlives this reply
};

void Submitter::submit(CommandRequest request) {
  if (request.form == nullptr) request.form = std::make_unique<TaskForm>(request.command.task);
  auto submission = std::make_unique<eventstore::Submission>();
  const Client client = request.client;
  submission->reply = std::make_unique<SubmitReply>(*this, request);
  submission->command = std::move(request.command);
  submission->secrets = std::move(request.secrets);
  if (!request.dry_run) submission->idempotency = std::move(request.idempotency);
  submission->dry_run = request.dry_run;
  if (!services_.submit(std::move(submission))) {
    client.fail(base::Errc::QueueFull, "the command queue is full");
  }
}

}  // namespace slipway::api
