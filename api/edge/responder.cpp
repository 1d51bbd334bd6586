#include "api/edge/responder.hpp"

#include <utility>

#include "api/edge/exchange.hpp"
#include "api/edge/problem.hpp"

namespace slipway::api {

Responder::Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {
  if (exchange_) exchange_->hold();
}
Responder::Responder(const Responder& other) : exchange_(other.exchange_) {
  if (exchange_) exchange_->hold();
}
Responder& Responder::operator=(Responder other) noexcept {
  exchange_.swap(other.exchange_);
  return *this;
}
Responder::~Responder() {
  if (exchange_) exchange_->release();
}

bool Responder::send(Response response) const { return exchange_->answer(std::move(response)); }

bool Responder::fail(const base::Error& error) const {
  return exchange_->answer(exchange_->render(error, status_of(error.code)));
}

bool Responder::fail_internal(std::string why) const { return exchange_->fail(std::move(why)); }

Stream Responder::start_stream(Response head) const {
  head.body.clear();
  exchange_->start_stream(std::move(head), nullptr);
  return Stream(exchange_);
}

Stream Responder::upgrade(Response head, std::function<void(std::string_view)> on_bytes) const {
  head.body.clear();
  exchange_->start_stream(std::move(head), std::move(on_bytes));
  return Stream(exchange_);
}

bool Responder::alive() const { return !exchange_->gone(); }
void Responder::on_gone(std::function<void()> gone) const { exchange_->on_gone(std::move(gone)); }
bool Responder::answered() const { return exchange_->phase() != Exchange::Phase::Open; }
void Responder::consumed(std::size_t bytes) const { exchange_->consumed(bytes); }
void Responder::add_wait(base::Duration waited) const { exchange_->add_wait(waited); }
void Responder::set_route(std::string_view dialect, std::string_view route) const {
  exchange_->set_route(dialect, route);
}
std::string_view Responder::request_id() const { return exchange_->request_id(); }
std::string_view Responder::trace_id() const { return exchange_->trace_id(); }

Stream::Written Stream::write(std::string_view bytes) const { return exchange_->write(bytes); }
void Stream::on_writable(std::function<void(const Stream&)> more) const {
  exchange_->on_writable(std::move(more));
}
std::size_t Stream::pending() const { return exchange_->pending(); }
void Stream::finish() const { exchange_->finish(); }
void Stream::abort() const { exchange_->abort(); }
bool Stream::alive() const { return exchange_->open(); }
void Stream::on_gone(std::function<void()> gone) const { exchange_->on_gone(std::move(gone)); }

}  // namespace slipway::api
