#include "app/cli/terminal.hpp"

#include <fmt/format.h>

namespace slipway::app::cli {
namespace {

bool plain_wanted(const Io& io) {
  return !io.variable("NO_COLOR").empty() || !io.variable("CI").empty() ||
         io.variable("TERM") == "dumb";
}

bool says_utf8(const Io& io) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = io.variable(name);
    if (!value.empty())
      return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::string coloured(std::string_view text, Colour colour, bool on) {
  if (!on || colour == Colour::None) return std::string(text);
  constexpr const char* kCodes[] = {"0", "31", "32", "33", "34", "90", "1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<int>(colour)], text);
}

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

Terminal::Terminal(Io& io, bool quiet)
    : io_(io),
      quiet_(quiet),
      fancy_(io.err_tty && !quiet && !plain_wanted(io)),
      colour_out_(io.out_tty && !quiet && !plain_wanted(io)),
      utf8_(says_utf8(io)) {}

void Terminal::note(std::string_view text) {
  if (!quiet_) always(text);
}

void Terminal::always(std::string_view text) {
  clear();
  io_.err << text << '\n' << std::flush;
}

void Terminal::draw(const std::vector<std::string>& lines) {
  if (!fancy_) return;
  std::string out;
  if (drawn_ > 0) out += fmt::format("\x1b[{}A", drawn_);
  for (const auto& line : lines) out += "\r" + line + "\x1b[K\n";
  if (lines.size() < drawn_) out += "\x1b[J";
  drawn_ = lines.size();
  io_.err << out << std::flush;
}

void Terminal::clear() {
  if (drawn_ == 0) return;
  io_.err << fmt::format("\x1b[{}A\r\x1b[J", drawn_) << std::flush;
  drawn_ = 0;
}

unsigned Terminal::columns() const {
  const auto columns = io_.columns ? io_.columns() : 0;
  return columns == 0 ? 80 : columns;
}

std::string Terminal::painted(std::string_view text, Colour colour) const {
  return coloured(text, colour, fancy_);
}
std::string Terminal::painted_out(std::string_view text, Colour colour) const {
  return coloured(text, colour, colour_out_);
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too: C2 80 to C2 9F.
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out += c < 0x20 || c == 0x7f || c1 ? '?' : text[i];
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += starts_code_point(c) ? 1 : 0;
  return width;
}

std::string clipped(const std::string& text, std::size_t width) {
  std::size_t seen = 0, at = 0;
  for (; at < text.size(); ++at)
    if (starts_code_point(text[at]) && seen++ == width) break;
  return text.substr(0, at);
}

}  // namespace slipway::app::cli
