// One table, four renderings: what one says the others say too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "app/cli/completion.hpp"
#include "app/cli/help.hpp"
#include "app/cli/parse.hpp"
#include "tests/cli/harness.hpp"

namespace slipway::app::cli {
namespace {

using test::CliHarness;
using testing::HasSubstr;

std::string roffed(std::string text) {
  for (std::size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\-");
  return text;
}

TEST(CommandTable, EveryCommandHasASummaryAnExampleAndARun) {
  const auto table = client_commands();
  for (const auto& command : table.commands()) {
    EXPECT_FALSE(command.summary.empty()) << command.full_name();
    EXPECT_FALSE(command.summary.ends_with('.')) << command.full_name();
    EXPECT_FALSE(command.examples.empty()) << command.full_name();
    EXPECT_TRUE(command.run) << command.full_name();
    for (const auto& option : command.options) {
      EXPECT_TRUE(option.name.starts_with("--")) << option.name;
      EXPECT_FALSE(option.help.empty()) << command.full_name() << " " << option.name;
    }
  }
}

TEST(CommandTable, HasEveryNounAndVerbOfTheInterface) {
  const auto table = client_commands();
  const auto has = [&](const std::string& noun, std::vector<std::string> verbs) {
    for (const auto& verb : verbs) EXPECT_TRUE(table.find({noun, verb})) << noun << " " << verb;
  };
  has("task", {"submit", "get", "list", "wait", "watch", "events", "cancel", "retry"});
  has("vm", {"create", "list", "get", "start", "stop", "reboot", "pause", "resume", "suspend",
             "resize", "rebuild", "rename", "migrate", "snapshot", "delete"});
  has("batch", {"submit"});
  has("worker", {"list", "drain"});
  has("stats", {"vms"});
  has("token", {"create", "list", "delete"});
  for (const char* noun : {"queue", "image", "flavor", "network", "host"}) has(noun, {"list"});
  for (const char* verb : {"list", "set", "use", "delete"})
    EXPECT_TRUE(table.find({"config", "context", verb}));
  EXPECT_TRUE(table.find({"version"}) && table.find({"completion"}));
}

TEST(CommandTable, OptionNamesAreUniqueInACommand) {
  const auto table = client_commands();
  for (const auto& command : table.commands()) {
    auto names = option_names(command);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << command.full_name();
  }
}

TEST(CommandTable, ExamplesAreParsedByTheTableItself) {
  const auto table = client_commands();
  for (const auto& command : table.commands())
    for (const auto& example : command.examples) {
      const auto start = example.line.find("slipway ");
      ASSERT_NE(start, std::string::npos) << example.line;
      if (example.line.find_first_of("|<>(") != std::string::npos) continue;  // for a shell to cut
      std::vector<std::string> words;
      std::istringstream text(example.line.substr(start + 8));
      for (std::string word; text >> word;) words.push_back(word);
      const auto parsed = parse(table, words);
      EXPECT_EQ(parsed.what, Parsed::What::Run) << example.line << ": " << parsed.problem;
      EXPECT_EQ(parsed.path, command.path) << example.line;
    }
}

TEST(CommandTable, HelpManAndCompletionsNameEveryOptionAlike) {
  const auto table = client_commands();
  const auto man = man_page(table);
  const auto bash = completion_script(table, "bash");
  const auto zsh = completion_script(table, "zsh");
  const auto fish = completion_script(table, "fish");
  for (const auto& command : table.commands()) {
    const auto help = help_text(table, command.path);
    EXPECT_TRUE(help.starts_with("Examples:\n")) << command.full_name();
    EXPECT_THAT(man, HasSubstr(".SS " + roffed(usage_line(command))));
    const auto arm = "\n    '" + join(command.path, " ") + "')\n";
    EXPECT_THAT(bash, HasSubstr(arm));
    EXPECT_THAT(zsh, HasSubstr(arm));
    EXPECT_THAT(fish, HasSubstr("-a " + command.path.back() + " -d"));
    const auto arm_text =
        bash.substr(bash.find(arm), bash.find(";;\n    '", bash.find(arm)) - bash.find(arm));
    for (const auto& name : option_names(command)) {
      EXPECT_THAT(help, HasSubstr(name)) << command.full_name();
      EXPECT_THAT(arm_text, HasSubstr(name)) << command.full_name();
      EXPECT_THAT(man, HasSubstr(roffed(name)));
    }
    for (const auto& option : command.options)
      EXPECT_THAT(fish, HasSubstr("__slipway_at \"" + join(command.path, " ") + "\"' -l " +
                                  option.name.substr(2)));
  }
}

TEST(CommandTable, ACommandAddedByTheProgramIsInAllOfThem) {
  auto table = client_commands();
  table.add({.path = {"worker"},
             .summary = "Run a worker",
             .examples = {{"slipway worker", "here"}},
             .passes_unknown = true});
  table.add({.path = {"log", "verify"},
             .summary = "Check the log",
             .examples = {{"slipway log verify", "all of it"}},
             .options = {{"--deep", "", "", "Read values too"}}});
  EXPECT_THAT(help_text(table, {}), HasSubstr("log"));
  EXPECT_THAT(help_text(table, {"worker"}), HasSubstr("Commands:\n  list, drain"));
  EXPECT_THAT(man_page(table), HasSubstr("slipway log verify"));
  EXPECT_THAT(completion_script(table, "bash"), HasSubstr("--deep"));
  const auto process = parse(table, {"worker", "--workers.slots=4", "--pool", "x"});
  EXPECT_EQ(process.what, Parsed::What::Run) << process.problem;
  EXPECT_EQ(parse(table, {"worker", "list"}).path, (std::vector<std::string>{"worker", "list"}));
}

TEST(Completion, BashOffersWordsOptionsAndValues) {
  const auto path = testing::TempDir() + "slipway-completion.bash";
  std::ofstream(path) << completion_script(client_commands(), "bash");
  const auto offered = [&](const std::string& words, int at) {
    const auto command = "bash -c 'source " + path + "; COMP_WORDS=(" + words +
                         "); COMP_CWORD=" + std::to_string(at) +
                         "; _slipway; echo \"${COMPREPLY[@]}\"'";
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    for (char piece[4096]; fgets(piece, sizeof piece, pipe);) out += piece;
    EXPECT_EQ(pclose(pipe), 0);
    return out;
  };
  EXPECT_EQ(offered("slipway ta", 1), "task\n");
  EXPECT_EQ(offered("slipway vm re", 2), "reboot resume resize rebuild rename\n");
  EXPECT_EQ(offered("slipway task list --quiet --out", 4), "--output\n");
  EXPECT_EQ(offered("slipway task list -o y", 4), "yaml\n");
  EXPECT_EQ(offered("slipway completion \"\"", 2), "bash zsh fish\n");
  EXPECT_EQ(offered("slipway config context \"\"", 3), "list set use delete\n");
}

TEST(Golden, HelpManAndCompletion) {
  CliHarness cli;
  test::expect_golden("help.txt", cli.run({}).out);
  test::expect_golden("help-vm.txt", cli.run({"vm", "--help"}).out);
  test::expect_golden("help-vm-create.txt", cli.run({"help", "vm", "create"}).out);
  test::expect_golden("help-task-wait.txt", cli.run({"task", "wait", "-h"}).out);
  test::expect_golden("slipway.1", cli.run({"man"}).out);
  test::expect_golden("completion.fish", cli.run({"completion", "fish"}).out);
}

struct Wrong {
  std::vector<std::string> words;
  const char* says;
};
class WrongUsage : public testing::TestWithParam<Wrong> {};
TEST_P(WrongUsage, IsRefusedAndSaysWhatWasMeant) {
  CliHarness cli;
  const auto ran = cli.run(GetParam().words);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.err, HasSubstr("--help"));
}
INSTANTIATE_TEST_SUITE_P(
    Table, WrongUsage,
    testing::Values(Wrong{{"tsak"}, "did you mean 'task'?"},
                    Wrong{{"task"}, "needs one of: submit"},
                    Wrong{{"task", "lst"}, "did you mean 'task list'?"},
                    Wrong{{"task", "list", "--stat", "X"}, "did you mean --state?"},
                    Wrong{{"task", "list", "--limit"}, "--limit"},
                    Wrong{{"task", "list", "-o", "jsn"}, "did you mean 'json'?"},
                    Wrong{{"task", "list", "--limit", "1", "--limit", "2"},
                          "--limit is given twice"},
                    Wrong{{"task", "list", "--quiet=yes"}, "--quiet takes no value"},
                    Wrong{{"task", "get"}, "ID is missing"},
                    Wrong{{"task", "get", "a", "b"}, "'b' is one argument too many"},
                    Wrong{{"vm", "create", "x"}, "--image IMAGE is missing"},
                    Wrong{{"completion", "csh"}, "it is one of bash, zsh, fish"}));

TEST(Parse, AWaitWithoutTimeDoesNotSwallowTheNextWord) {
  const auto table = client_commands();
  const auto bare = parse(table, {"vm", "stop", "--wait", "web-1"});
  EXPECT_EQ(bare.values.get("--wait"), "forever");
  EXPECT_EQ(bare.values.all("VM"), (std::vector<std::string>{"web-1"}));
  EXPECT_EQ(parse(table, {"vm", "stop", "web-1", "--wait=10m"}).values.get("--wait"), "10m");
}

TEST(Parse, AfterTwoDashesAllAreArguments) {
  const auto parsed = parse(client_commands(), {"vm", "stop", "-q", "--", "--wait", "-x"});
  EXPECT_EQ(parsed.what, Parsed::What::Run) << parsed.problem;
  EXPECT_EQ(parsed.values.all("VM"), (std::vector<std::string>{"--wait", "-x"}));
  EXPECT_FALSE(parsed.values.has("--wait"));
}

TEST(Parse, ADashIsAnArgument) {
  EXPECT_EQ(parse(client_commands(), {"batch", "submit", "-"}).values.get("FILE"), "-");
}

}  // namespace
}  // namespace slipway::app::cli
