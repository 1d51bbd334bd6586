#include "api/core_api/problem_pages.hpp"

#include <fmt/format.h>

#include "api/client.hpp"
#include "api/core_api/page.hpp"
#include "api/identity.hpp"
#include "core/base/json_write.hpp"

namespace slipway::api {
namespace {

using base::Errc;

struct Page {
  Errc code;
  std::string_view cause;
  std::string_view remedy;
};

// One row a code, in the order of the documentation. Texts hold no character that HTML escapes.
constexpr Page kPages[] = {
    {Errc::MalformedJson,
     "The body is not JSON: a syntax error, bad UTF-8, a doubled key or bytes after the end.",
     "Check the body with a JSON parser and send it again."},
    {Errc::InvalidArgument,
     "A field, parameter or header is missing, unknown, of the wrong type or over a limit.",
     "The list of errors points at each of them; correct all and send it again."},
    {Errc::UnknownCommand, "The command's name is not one of this server's.",
     "See the list of commands in /core/v1/openapi.json."},
    {Errc::UnsupportedMediaType, "The body has another Content-Type than application/json.",
     "Send Content-Type: application/json. Compressed bodies are not accepted."},
    {Errc::BodyTooLarge, "The body is larger than http.max_body_bytes.",
     "Send less at once, for example several batches."},
    {Errc::Unauthenticated, "No identity was sent, or it is unknown, wrong or has expired.",
     "Send Authorization: Bearer with a valid token."},
    {Errc::Forbidden, "The role of the caller does not allow this.",
     "Use a token with the role that the detail names."},
    {Errc::NotFound, "There is no such thing, or it belongs to another tenant.",
     "Check the id. Right after a change, read with Slipway-Min-Seq."},
    {Errc::MethodNotAllowed, "The path exists, but not with this method.",
     "The Allow header lists the methods."},
    {Errc::IllegalTransition, "The present state of the resource or task forbids the command.",
     "Read the resource, wait or act until its state allows it, then try again."},
    {Errc::ResourceBusy, "Another task is at work on the resource.",
     "Wait for that task to end, or name it in depends_on."},
    {Errc::NameTaken, "The name must be unique and is in use.", "Choose another name."},
    {Errc::QuotaExceeded, "The project's quota does not allow any more.",
     "Delete something, or ask an administrator for a larger quota."},
    {Errc::VersionMismatch, "The resource has changed since the version that If-Match names.",
     "Read it again, look at what changed, and send the new version."},
    {Errc::PreconditionRequired, "Replacing this needs an If-Match header.",
     "Read the resource and send its ETag as If-Match."},
    {Errc::IdempotencyKeyReused, "The idempotency key was used before for a different request.",
     "Use a fresh key for a new request, and the same key only for a repeat."},
    {Errc::IdempotencyInProgress, "The fate of the first request with this key is not yet known.",
     "Repeat the request with the same key after Retry-After."},
    {Errc::MatchChanged,
     "The filter matches a number of tasks that differs by more than a tenth from the expected.",
     "Look at what the filter matches now, and send the new total."},
    {Errc::HistoryTruncated, "Events that far back are no longer kept.",
     "Begin with the first seq that the detail names."},
    {Errc::RateLimited, "Too many requests, logins or unfinished tasks of this caller.",
     "Wait for Retry-After seconds; send at a lower rate."},
    {Errc::QueueFull, "The server has as many requests waiting as it takes.",
     "Repeat after Retry-After seconds, with the same idempotency key."},
    {Errc::ProjectionBehind, "The read model has not reached the seq that was asked for.",
     "Repeat after Retry-After seconds."},
    {Errc::ReadOnly, "The server takes no changes: by configuration, or because the disk is full.",
     "Send commands to another server, or wait until there is space again."},
    {Errc::ShuttingDown, "The server is stopping.", "Repeat after Retry-After seconds."},
    {Errc::BackendUnavailable, "The cloud does not answer.",
     "Nothing to be done by the client: the task is tried again by itself."},
    {Errc::BackendRefused, "The cloud refused the request; the detail has its reason.",
     "Correct what the cloud names and send a new command."},
    {Errc::CapacityExhausted, "No host has room, or no address is free.",
     "Free some capacity, choose a smaller flavor or another network."},
    {Errc::DeadlineExceeded, "The deadline passed before the task or question was done.",
     "Give a later deadline; for a question, a narrower filter."},
    {Errc::AttemptsExhausted, "Every attempt at the task failed; the detail has the last reason.",
     "Remove the cause, then retry the task."},
    {Errc::LeaseLost, "A worker answered after its lease of the task had ended.",
     "Nothing to be done: the task was given to another worker."},
    {Errc::Cancelled, "The task was cancelled, or one that it depended on did not succeed.",
     "Retry the task if it is wanted after all."},
    {Errc::Internal, "The server failed; its log has the request id and the reason.",
     "Repeat with the same idempotency key; report the request id if it persists."},
};

const Page* find_page(std::string_view code) {
  for (const Page& page : kPages) {
    if (base::errc_name(page.code) == code) return &page;
  }
  return nullptr;
}

void write_page(base::JsonWriter& w, const Page& page) {
  w.begin_object().member("code", base::errc_name(page.code));
  w.member("title", title_of(page.code)).member("status", status_of(page.code));
  w.member("retryable", retryable(page.code));
  w.member("cause", page.cause).member("remedy", page.remedy).end_object();
}

void one(const Call& call) {
  const Page* page = find_page(call.params["code"]);
  if (page == nullptr) return Client{call.reply}.fail(Errc::NotFound, "no such problem code");
  if (!wants_html(call.request)) {
    base::JsonWriter w;
    write_page(w, *page);
    call.reply.send(Response(200, w.text()));
    return;
  }
  call.reply.send(html_page(
      title_of(page->code),
      fmt::format("<p><code>{}</code>, HTTP status {}{}</p><h2>Cause</h2><p>{}</p>"
                  "<h2>Remedy</h2><p>{}</p><p><a href=\"/problems\">All codes</a></p>",
                  base::errc_name(page->code), status_of(page->code),
                  retryable(page->code) ? ", may be repeated" : "", page->cause, page->remedy)));
}

void all(const Call& call) {
  if (!wants_html(call.request)) {
    base::JsonWriter w;
    w.begin_object().key("items").begin_array();
    for (const Page& page : kPages) write_page(w, page);
    call.reply.send(Response(200, w.end_array().end_object().text()));
    return;
  }
  std::string list;
  for (const Page& page : kPages) {
    list += fmt::format("<li><a href=\"/problems/{0}\"><code>{0}</code></a>: {1}</li>",
                        base::errc_name(page.code), title_of(page.code));
  }
  call.reply.send(html_page("Problem codes", "<ul>" + list + "</ul>"));
}

}  // namespace

RouteTable problem_routes() {
  return {{Method::Get, "/problems", allow(Right::Public), all, nullptr},
          {Method::Get, "/problems/{code}", allow(Right::Public), one, nullptr}};
}

}  // namespace slipway::api
