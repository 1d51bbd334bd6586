#include "api/edge/options.hpp"

namespace slipway::api {

std::string_view refusal_name(Refusal reason) {
  switch (reason) {
    case Refusal::Malformed:
      return "malformed";
    case Refusal::RequestLine:
      return "request_line";
    case Refusal::HeaderBytes:
      return "header_bytes";
    case Refusal::HeaderCount:
      return "header_count";
    case Refusal::BodyBytes:
      return "body_bytes";
    case Refusal::BodyEncoding:
      return "body_encoding";
    case Refusal::HeaderTime:
      return "header_time";
    case Refusal::BodyTime:
      return "body_time";
    case Refusal::BodyRate:
      return "body_rate";
    case Refusal::IdleTime:
      return "idle_time";
    case Refusal::StalledReader:
      return "stalled_reader";
    case Refusal::StreamBehind:
      return "stream_behind";
    case Refusal::Connections:
      return "connections";
    case Refusal::AddressCap:
      return "address_cap";
    case Refusal::FileDescriptors:
      return "file_descriptors";
    case Refusal::HandlerFailed:
      return "handler_failed";
  }
  return "unknown";
}

}  // namespace slipway::api
