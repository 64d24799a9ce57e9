// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/command_line/command_line.h"

#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ringway {

CommandLine::CommandLine(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {}

void CommandLine::Add(std::string name, std::string help, std::string* value) {
  flags_.push_back({std::move(name), std::move(help), *value,
                    /*is_switch=*/false, [value](std::string_view text) {
                      *value = std::string(text);
                      return std::string();
                    }});
}

void CommandLine::Add(std::string name, std::string help, int* value, int low,
                      int high) {
  flags_.push_back(
      {std::move(name), std::move(help), absl::StrCat(*value),
       /*is_switch=*/false, [value, low, high](std::string_view text) {
         int parsed = 0;
         if (absl::SimpleAtoi(text, &parsed) && parsed >= low &&
             parsed <= high) {
           *value = parsed;
           return std::string();
         }
         return absl::StrCat("a whole number from ", low, " to ", high);
       }});
}

void CommandLine::Add(std::string name, std::string help,
                      absl::Duration* value) {
  flags_.push_back({std::move(name), std::move(help),
                    absl::FormatDuration(*value),
                    /*is_switch=*/false, [value](std::string_view text) {
                      absl::Duration parsed;
                      if (absl::ParseDuration(text, &parsed) &&
                          parsed >= absl::ZeroDuration()) {
                        *value = parsed;
                        return std::string();
                      }
                      return std::string("a duration such as 500ms, 5s or 2m");
                    }});
}

void CommandLine::Add(std::string name, std::string help, bool* value) {
  flags_.push_back({std::move(name), std::move(help), *value ? "true" : "false",
                    /*is_switch=*/true, [value](std::string_view text) {
                      if (text.empty() || absl::SimpleAtob(text, value)) {
                        if (text.empty()) *value = true;
                        return std::string();
                      }
                      return std::string("true or false");
                    }});
}

void CommandLine::Add(std::string name, std::string help,
                      std::vector<std::string>* values) {
  flags_.push_back({std::move(name), std::move(help), "",
                    /*is_switch=*/false, [values](std::string_view text) {
                      values->emplace_back(text);
                      return std::string();
                    }});
}

void CommandLine::AddArgument(std::string name, std::string help,
                              std::string* value) {
  arguments_.push_back({std::move(name), std::move(help), value});
}

std::optional<int> CommandLine::Parse(int argc, char** argv) {
  constexpr int kHelp = 1000;
  std::vector<option> options;
  for (const Flag& flag : flags_) {
    options.push_back({flag.name.c_str(),
                       flag.is_switch ? optional_argument : required_argument,
                       nullptr, static_cast<int>(options.size())});
  }
  options.push_back({"help", no_argument, nullptr, kHelp});
  options.push_back({});
  opterr = 0;  // prints its own message instead
  optind = 0;
  while (true) {
    const int at = std::max(optind, 1);
    const int found = getopt_long(argc, argv, "+:h", options.data(), nullptr);
    if (found == -1) break;
    if (found == 'h' || found == kHelp) {
      PrintHelp();
      return 0;
    }
    if (found == ':') return Complain(absl::StrCat(argv[at], " needs a value"));
    if (found == '?') return Complain(absl::StrCat("unknown flag ", argv[at]));
    const Flag& flag = flags_[static_cast<size_t>(found)];
    const std::string_view text = optarg == nullptr ? "" : optarg;
    if (std::string expected = flag.set(text); !expected.empty()) {
      return Complain(
          absl::StrCat("--", flag.name, "=", text, ": expected ", expected));
    }
  }
  for (const Argument& argument : arguments_) {
    if (optind == argc) return Complain(argument.name + " is missing");
    *argument.value = argv[optind++];
  }
  if (optind < argc)
    return Complain(absl::StrCat("unexpected argument ", argv[optind]));
  return std::nullopt;
}

int CommandLine::Complain(std::string_view message) const {
  fprintf(stderr, "%s: %s (--help lists the flags)\n", program_.c_str(),
          std::string(message).c_str());
  return kUsageError;
}

void CommandLine::PrintHelp() const {
  printf("%s: %s\n\nusage: %s [FLAGS]", program_.c_str(), purpose_.c_str(),
         program_.c_str());
  for (const Argument& argument : arguments_)
    printf(" %s", argument.name.c_str());
  printf("\n\n");
  size_t width = 0;
  for (const Flag& flag : flags_) {
    width = std::max(width, flag.name.size() + flag.shown_default.size());
  }
  for (const Argument& argument : arguments_) {
    printf("  %-*s  %s\n", static_cast<int>(width) + 3, argument.name.c_str(),
           argument.help.c_str());
  }
  for (const Flag& flag : flags_) {
    const std::string left =
        absl::StrCat("--", flag.name, "=", flag.shown_default);
    printf("  %-*s  %s\n", static_cast<int>(width) + 3, left.c_str(),
           flag.help.c_str());
  }
}

}  // namespace ringway
