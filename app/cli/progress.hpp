#pragma once
// Shows how tasks go on. On a terminal: one drawn line a task, with a bar; elsewhere one plain line
// a change. Nothing with --quiet.
#include <string>
#include <vector>

#include "app/cli/io.hpp"
#include "app/cli/json.hpp"
#include "app/cli/terminal.hpp"

namespace slipway::app::cli {

class Progress {
 public:
  Progress(Io& io, Terminal& terminal);
  ~Progress();  // takes the drawn lines away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A task body that was read just now. Terminal ones leave the drawing and get a line that stays.
  void show(const Json& task);
  // Turns the spinner; call it about ten times a second.
  void tick();

 private:
  struct Line {
    std::string id;
    std::string command;
    std::string state;
    std::string detail;  // "42% spawn: copying the image"
    double percent = -1;
    base::SteadyTime since;
  };
  Line& line_for(const Json& task);
  std::string bar(const Line& line) const;
  std::string finished_text(const Json& task) const;

  Io& io_;
  Terminal& terminal_;
  std::vector<Line> lines_;  // of unfinished tasks, in the order first seen
  unsigned turn_ = 0;
};

}  // namespace slipway::app::cli
