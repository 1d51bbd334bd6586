#pragma once
// Events: finite pages, and the endless stream (Server-Sent Events).
#include <functional>
#include <string>
#include <string_view>

#include "app/cli/session.hpp"

namespace slipway::app::cli {

struct ServerEvent {
  std::string id;
  std::string type;
  std::string data;
};

// Cuts a byte stream into Server-Sent Events (WHATWG HTML, 9.2.6). Pieces may be cut anywhere.
class EventParser {
 public:
  void feed(std::string_view bytes, const std::function<void(const ServerEvent&)>& on_event);

 private:
  void line(std::string_view text, const std::function<void(const ServerEvent&)>& on_event);
  std::string buffer_;
  ServerEvent event_;
  bool has_data_ = false;
};

// Prints the events at `path` (--from); with --follow goes on as they come, reconnecting where it
// was, until the stream says that it is over (204) or Ctrl-C.
Exit show_events(Session& session, const std::string& path);

}  // namespace slipway::app::cli
