// SPDX-License-Identifier: Apache-2.0
//
// CommandLine: the flags of a program - parsed by getopt_long, checked, and
// listed by --help.
//
//   std::string listen = "127.0.0.1:7878";
//   int workers = 1;
//   CommandLine flags("echo_server", "Sends back what it receives.");
//   flags.Add("listen", "address to listen on", &listen);
//   flags.Add("workers", "worker threads", &workers, 1, 1024);
//   if (std::optional<int> code = flags.Parse(argc, argv)) return *code;

#ifndef RINGWAY_TOOLS_COMMAND_LINE_COMMAND_LINE_H_
#define RINGWAY_TOOLS_COMMAND_LINE_COMMAND_LINE_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace ringway {

class CommandLine {
 public:
  // The exit code for an invalid command line.
  static constexpr int kUsageError = 2;

  CommandLine(std::string program, std::string purpose);

  // Declares --NAME. `*value` holds the default and receives the flag's
  // value. Numbers outside [low, high] are refused. A duration is written
  // with its unit: 500ms, 5s, 2m; 0 needs none. A bool is a switch: --NAME,
  // --NAME=true or --NAME=false.
  void Add(std::string name, std::string help, std::string* value);
  void Add(std::string name, std::string help, int* value, int low, int high);
  void Add(std::string name, std::string help, absl::Duration* value);
  void Add(std::string name, std::string help, bool* value);
  // A flag that may be given several times: `*values` receives each value.
  void Add(std::string name, std::string help,
           std::vector<std::string>* values);

  // Declares an argument that is no flag: required, behind the flags, in the
  // order of the declarations.
  void AddArgument(std::string name, std::string help, std::string* value);

  // Parses the command line. Returns nullopt to continue, otherwise the exit
  // code: 0 after --help, kUsageError after a one-line message on stderr.
  std::optional<int> Parse(int argc, char** argv);

  // Prints on stderr the error in a value that only the program can check;
  // returns kUsageError.
  int Complain(std::string_view message) const;

 private:
  struct Flag {
    std::string name;
    std::string help;
    std::string shown_default;
    bool is_switch;
    // Returns an empty string if the text was accepted, else the expected
    // form.
    std::function<std::string(std::string_view text)> set;
  };

  struct Argument {
    std::string name;
    std::string help;
    std::string* value;
  };

  void PrintHelp() const;

  std::string program_;
  std::string purpose_;
  std::vector<Flag> flags_;
  std::vector<Argument> arguments_;
};

}  // namespace ringway

#endif  // RINGWAY_TOOLS_COMMAND_LINE_COMMAND_LINE_H_
