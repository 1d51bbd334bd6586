#pragma once
// The one file in a multipart/form-data body (RFC 7578) that comes piece by piece, whatever the
// pieces' borders. Other parts are read and passed over.
//
//   MultipartReader reader(boundary, "image");
//   reader.feed(piece, [&](std::string_view bytes) { write(bytes); });
//   if (!reader.complete()) ...   // cut short, or no such part
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::api {

// The boundary that a Content-Type names; nullopt if it is not multipart/form-data, or has none.
std::optional<std::string> multipart_boundary(std::string_view content_type);

class MultipartReader {
 public:
  using Take = std::function<void(std::string_view)>;
  // The part of that name, or the first that is a file.
  MultipartReader(std::string_view boundary, std::string_view field);

  // False: this is no such body; nothing more is read.
  bool feed(std::string_view piece, const Take& take);
  // The part was there, and the closing line came.
  bool complete() const { return state_ == State::End && found_; }

 private:
  enum class State { Preamble, Head, Body, AfterBoundary, End, Broken };
  static constexpr std::size_t kMaxHead = 8192;

  bool step(const Take& take);
  bool read_preamble();
  bool read_after_boundary();
  bool read_head();
  bool read_body(const Take& take);

  const std::string line_;  // "\r\n--<boundary>"
  const std::string field_;
  State state_ = State::Preamble;
  std::string held_;     // not yet decided on: never longer than a head or the boundary's line
  bool wanted_ = false;  // the part in hand is the file
  bool found_ = false;
};

}  // namespace slipway::api
