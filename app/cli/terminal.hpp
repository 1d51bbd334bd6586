#pragma once
// What goes to people rather than to programs: notes, colours, and lines that are drawn over again.
// All of it on stderr, but for colours in tables. Fancy things happen on a terminal only, and never
// with NO_COLOR, CI or --quiet.
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/io.hpp"

namespace slipway::app::cli {

enum class Colour { None, Red, Green, Yellow, Blue, Grey, Bold };

class Terminal {
 public:
  Terminal(Io& io, bool quiet);

  // A line to stderr; nothing with --quiet.
  void note(std::string_view text);
  // A line to stderr in any case: errors, and what -v shows.
  void always(std::string_view text);
  // Replaces the lines drawn last; nothing where `fancy` is false.
  void draw(const std::vector<std::string>& lines);
  // Takes the drawn lines away.
  void clear();

  bool quiet() const { return quiet_; }
  bool fancy() const { return fancy_; }  // bars and spinners on stderr
  bool utf8() const { return utf8_; }    // whether the terminal says it shows UTF-8
  bool colour_out() const { return colour_out_; }
  unsigned columns() const;  // 80 if unknown

  std::string painted(std::string_view text, Colour colour) const;      // for stderr
  std::string painted_out(std::string_view text, Colour colour) const;  // for stdout

 private:
  Io& io_;
  bool quiet_;
  bool fancy_;
  bool colour_out_;
  bool utf8_;
  std::size_t drawn_ = 0;
};

// Names come from anyone: control characters would let them move the cursor or forge output.
std::string printable(std::string_view text);
// How many columns UTF-8 text takes, roughly: one a code point.
std::size_t display_width(std::string_view text);
// The first `width` columns of it.
std::string clipped(const std::string& text, std::size_t width);

}  // namespace slipway::app::cli
