// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/command_line/command_line.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    flags_.Add("text", "some text", &text_);
    flags_.Add("number", "a number", &number_, 1, 10);
    flags_.Add("time", "a time", &time_);
    flags_.Add("switch", "on or off", &switch_);
  }

  std::optional<int> Parse(std::initializer_list<const char*> arguments) {
    std::vector<std::string> owned = {"program"};
    owned.insert(owned.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : owned) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code =
        flags_.Parse(static_cast<int>(owned.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  // A usage error that is explained in one line, which says `what`.
  void ExpectRefused(std::initializer_list<const char*> arguments,
                     const std::string& what) {
    EXPECT_EQ(Parse(arguments), CommandLine::kUsageError);
    EXPECT_EQ(out_, "");
    EXPECT_EQ(err_, "program: " + what + " (--help lists the flags)\n");
  }

  std::string text_ = "before";
  int number_ = 5;
  absl::Duration time_ = absl::Seconds(3);
  bool switch_ = false;
  CommandLine flags_{"program", "does things"};
  std::string out_;
  std::string err_;
};

TEST_F(CommandLineTest, LeavesDefaultsAlone) {
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(text_, "before");
  EXPECT_EQ(number_, 5);
  EXPECT_EQ(time_, absl::Seconds(3));
  EXPECT_FALSE(switch_);
  EXPECT_EQ(err_, "");
}

TEST_F(CommandLineTest, TakesValuesAfterAnEqualsSignAndAsTheNextArgument) {
  EXPECT_EQ(Parse({"--text=a=b", "--number", "7", "--time=250ms"}),
            std::nullopt);
  EXPECT_EQ(text_, "a=b");
  EXPECT_EQ(number_, 7);
  EXPECT_EQ(time_, absl::Milliseconds(250));
}

TEST_F(CommandLineTest, TheLastOfSeveralCounts) {
  EXPECT_EQ(Parse({"--number=1", "--number=2"}), std::nullopt);
  EXPECT_EQ(number_, 2);
}

TEST_F(CommandLineTest, TakesAnEmptyText) {
  EXPECT_EQ(Parse({"--text="}), std::nullopt);
  EXPECT_EQ(text_, "");
}

TEST_F(CommandLineTest, ASwitchNeedsNoValue) {
  EXPECT_EQ(Parse({"--switch"}), std::nullopt);
  EXPECT_TRUE(switch_);
  EXPECT_EQ(Parse({"--switch=false"}), std::nullopt);
  EXPECT_FALSE(switch_);
  EXPECT_EQ(Parse({"--switch=true"}), std::nullopt);
  EXPECT_TRUE(switch_);
}

TEST_F(CommandLineTest, HelpListsTheFlagsWithTheirDefaults) {
  EXPECT_EQ(Parse({"--help"}), 0);
  EXPECT_EQ(err_, "");
  EXPECT_NE(out_.find("program: does things"), std::string::npos) << out_;
  for (const char* flag :
       {"--text=before", "--number=5", "--time=3s", "--switch=false"})
    EXPECT_NE(out_.find(flag), std::string::npos) << flag << " in\n" << out_;
  EXPECT_EQ(Parse({"-h"}), 0);
}

TEST_F(CommandLineTest, RefusesAnUnknownFlagByName) {
  ExpectRefused({"--unknown"}, "unknown flag --unknown");
  ExpectRefused({"--number=2", "--unknown=3"}, "unknown flag --unknown=3");
  ExpectRefused({"-x"}, "unknown flag -x");
}

TEST_F(CommandLineTest, RefusesAFlagWithoutItsValue) {
  ExpectRefused({"--number"}, "--number needs a value");
}

TEST_F(CommandLineTest, RefusesNumbersThatAreNoneOrOutOfRange) {
  for (const char* text :
       {"0", "11", "-1", "seven", "7x", "", "1.5", "99999999999999999999"}) {
    ExpectRefused({"--number", text},
                  std::string("--number=") + text +
                      ": expected a whole number from 1 to 10");
    EXPECT_EQ(number_, 5);
  }
}

TEST_F(CommandLineTest, RefusesDurationsThatAreNoneOrNegative) {
  for (const char* text : {"5", "-5s", "soon", ""}) {
    ExpectRefused({"--time", text}, std::string("--time=") + text +
                                        ": expected a duration such as 500ms, "
                                        "5s or 2m");
    EXPECT_EQ(time_, absl::Seconds(3));
  }
}

TEST_F(CommandLineTest, RefusesASwitchThatIsNeitherOnNorOff) {
  ExpectRefused({"--switch=perhaps"},
                "--switch=perhaps: expected true or false");
}

TEST_F(CommandLineTest, RefusesWhatIsNoFlag) {
  ExpectRefused({"stray"}, "unexpected argument stray");
  ExpectRefused({"--switch", "true"}, "unexpected argument true");
}

TEST_F(CommandLineTest, ArgumentsFollowTheFlags) {
  std::string from;
  std::string to;
  flags_.AddArgument("FROM", "what is copied", &from);
  flags_.AddArgument("TO", "its copy", &to);
  EXPECT_EQ(Parse({"--switch", "a", "--b"}), std::nullopt);
  EXPECT_TRUE(switch_);
  EXPECT_EQ(from, "a");
  EXPECT_EQ(to, "--b");
  ExpectRefused({"a"}, "TO is missing");
  ExpectRefused({"a", "b", "c"}, "unexpected argument c");
  EXPECT_EQ(Parse({"--help"}), 0);
  EXPECT_NE(out_.find("program [FLAGS] FROM TO\n"), std::string::npos) << out_;
  EXPECT_NE(out_.find("what is copied"), std::string::npos) << out_;
}

TEST_F(CommandLineTest, AFlagMayBeGivenSeveralTimes) {
  std::vector<std::string> values;
  flags_.Add("value", "of several", &values);
  EXPECT_EQ(Parse({"--value=a,b", "--value", "c"}), std::nullopt);
  EXPECT_EQ(values, (std::vector<std::string>{"a,b", "c"}));
}

TEST_F(CommandLineTest, ComplainsInTheSameWay) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(flags_.Complain("no such address"), 2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "program: no such address (--help lists the flags)\n");
}

}  // namespace
}  // namespace ringway
