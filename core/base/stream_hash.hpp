#pragma once
// SHA-512 of bytes that come piece by piece: of files too large to hold.
#include <memory>
#include <string>
#include <string_view>

namespace slipway::base {

class StreamHash {
 public:
  StreamHash();
  ~StreamHash();
  StreamHash(StreamHash&&) noexcept;
  StreamHash& operator=(StreamHash&&) noexcept;

  void add(std::string_view piece);
  // Once, at the end.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::base
