// Monitor channels: POST opens one, a WebSocket at its id carries the guest's display (RFB).
#include <fmt/format.h>

#include "api/dialects/nano/channels.hpp"
#include "api/dialects/nano/display_relay.hpp"
#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/guest_view.hpp"
#include "api/dialects/nano/routes.hpp"
#include "api/edge/websocket_frames.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::size_t kMaxMessage = 256U << 10U;
constexpr std::size_t kClientFull = 512U << 10U;  // then its server is not read

void open_channel(Context& context, const Call& call, eventstore::Reader& reader,
                  const Client& client, const std::string& guest) {
  const auto id = base::parse_uuid(guest);
  const auto found =
      reader.get_vm(identity_of(call).own_scope(), domain::VmId(id.value_or(base::Uuid())));
  if (!found) return client.fail(found.error());
  if (!id || !found->value || found->value->state == domain::VmState::Deleted) {
    return client.fail(Errc::NotFound, fmt::format("invalid guest '{}'", guest));
  }
  const eventstore::VmRow& vm = *found->value;
  if (!is_running(vm)) {
    return client.fail(Errc::IllegalTransition, fmt::format("instance '{}' is stopped", guest));
  }
  const domain::GuestSpec spec = domain::guest_of(vm.spec);
  const auto channel = context.channels->open({guest, spec.display});
  if (!channel) return client.fail(Errc::QueueFull, "too many channels wait to be used");
  const auto scene = read_scene(context, reader, identity_of(call).tenant);
  if (!scene) return client.fail(scene.error());
  base::JsonWriter w;
  w.begin_object().member("id", *channel).member("protocol", "vnc").member("username", "");
  w.member("password", scene->secret(spec.monitor_secret)).end_object();
  client.send(success(w.view()));
}

void open(Context& context, Call call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  std::string guest = body.text("guest", {.required = true});
  if (!errors.empty()) return client_of(call).fail(errors.error());
  ask(context, std::move(call),
      [&context, guest = std::move(guest)](const Call& asked, auto& reader, const Client& client) {
        open_channel(context, asked, reader, client, guest);
      });
}

// ---- the WebSocket

// The client's side. Its frames come on the I/O thread; the relay's thread sends.
struct Viewer {
  explicit Viewer() : reader(kMaxMessage) {}
  websocket::Reader reader;  // the I/O thread's
  Stream stream;             // set before the relay or the I/O thread has this
  std::shared_ptr<DisplayRelay::Link> link;

  void say(websocket::Opcode opcode, std::string_view payload) const {
    std::string frame;
    websocket::append_frame(frame, opcode, payload);
    stream.write(frame);
  }
  void end(websocket::CloseCode code, std::string_view reason) const {
    stream.write(websocket::close_frame(code, reason));
    stream.finish();
    if (link != nullptr) link->close();
  }
  void on_bytes(std::string_view bytes) {
    for (const auto& event : reader.feed(bytes))
      std::visit([this](const auto& e) { on(e); }, event);
  }
  void on(const websocket::Reader::Message& message) const {
    if (link != nullptr && !link->to_server(message.payload)) {
      end(websocket::CloseCode::Overload, "the display does not answer");
    }
  }
  void on(const websocket::Reader::Ping& ping) const { say(websocket::Opcode::Pong, ping.payload); }
  void on(const websocket::Reader::Pong&) const {}
  void on(const websocket::Reader::Closed& closed) const { end(closed.code, ""); }
  void on(const websocket::Reader::Broken& broken) const { end(broken.code, broken.reason); }
};

Response handshake(const Request& request, std::string accept) {
  Response head(101);
  head.add("Upgrade", "websocket").add("Sec-WebSocket-Accept", accept);
  // Older viewers ask for the name of what they speak.
  if (request.header("sec-websocket-protocol").find("binary") != std::string_view::npos) {
    head.add("Sec-WebSocket-Protocol", "binary");
  }
  return head;
}

void connect(Context& context, const Call& call) {
  const Client client = client_of(call);
  const std::string accept = websocket::accept_value(call.request.header("sec-websocket-key"));
  if (!call.request.wants_upgrade() || accept.empty() ||
      call.request.header("sec-websocket-version") != "13") {
    return client.send(Response(426).add("Upgrade", "websocket"));
  }
  const auto channel = context.channels->take(call.params["id"]);
  if (!channel) return client.fail(Errc::NotFound, "invalid channel");
  auto viewer = std::make_shared<Viewer>();
  // On the I/O thread, which hands over the client's bytes only after this: the link is whole then.
  viewer->stream =
      call.reply.upgrade(handshake(call.request, accept),
                         [viewer](std::string_view bytes) { viewer->on_bytes(bytes); });
  const Stream stream = viewer->stream;
  viewer->link = channel->display.empty()
                     ? nullptr
                     : context.relay->open(
                           channel->display,
                           {.send =
                                [stream](std::string_view bytes) {
                                  std::string frame;
                                  websocket::append_frame(frame, websocket::Opcode::Binary, bytes);
                                  stream.write(frame);
                                },
                            .takes = [stream] { return stream.pending() < kClientFull; },
                            .gone =
                                [stream] {
                                  stream.write(websocket::close_frame(
                                      websocket::CloseCode::GoingAway, "the display has closed"));
                                  stream.finish();
                                }});
  if (viewer->link == nullptr) {
    viewer->end(websocket::CloseCode::GoingAway, "this guest's backend serves no display");
    return;
  }
  stream.on_gone([link = viewer->link] { link->close(); });
}

}  // namespace

void monitor_routes(Area& area) {
  area.on(Method::Post, "/monitor_channels/", Right::Operate, open);
  // The channel's id is the right to it.
  area.on(Method::Get, "/monitor_channels/{id}", Right::Public, connect);
}

}  // namespace slipway::api::nano
