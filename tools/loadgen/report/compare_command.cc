// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/compare_command.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/loadgen/plot/plot.h"
#include "ringway/tools/loadgen/report/comparison.h"
#include "ringway/tools/loadgen/report/output_files.h"
#include "ringway/tools/loadgen/report/summary_json.h"
#include "ringway/tools/loadgen/report/threshold.h"

namespace ringway::loadgen {
namespace {

constexpr int kCrossed = 1;

// Moves the second file behind the flags that follow it, where an argument is
// expected.
std::vector<char*> FlagsFirst(int argc, char** argv, int compare_at) {
  std::vector<char*> arguments(argv, argv + argc);
  const bool has_value = std::string_view(argv[compare_at]) != "--compare";
  const int second_at = compare_at + (has_value ? 1 : 2);
  if (second_at < argc && argv[second_at][0] != '-')
    std::rotate(arguments.begin() + second_at,
                arguments.begin() + second_at + 1, arguments.end());
  arguments.push_back(nullptr);
  return arguments;
}

// The name without folders and ".json"; with folders if both are the same.
std::vector<std::string> NamesOf(const std::string& a, const std::string& b) {
  std::vector<std::string> names;
  for (const std::string& file : {a, b}) {
    std::string_view name = file;
    name.remove_prefix(name.rfind('/') + 1);
    names.emplace_back(absl::StripSuffix(name, ".json"));
  }
  if (names[0] == names[1]) return {a, b};
  return names;
}

absl::StatusOr<NamedRun> ReadRun(const std::string& file, std::string name) {
  absl::StatusOr<std::string> json = ReadFile(file);
  if (!json.ok()) return json.status();
  absl::StatusOr<Summary> summary = ParseSummary(*json);
  if (!summary.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", summary.status().message()));
  }
  NamedRun run;
  run.name = std::move(name);
  run.summary = *std::move(summary);
  return run;
}

struct CompareFlags {
  std::string a;
  std::string b;
  std::string plot;
  std::vector<std::string> fail_if;
};

int Compare(const CommandLine& line, const CompareFlags& flags) {
  std::vector<Threshold> thresholds;
  if (!flags.fail_if.empty()) {
    absl::StatusOr<std::vector<Threshold>> parsed =
        ParseThresholds(absl::StrJoin(flags.fail_if, ","));
    if (!parsed.ok()) return line.Complain(parsed.status().message());
    thresholds = *std::move(parsed);
  }
  const std::vector<std::string> names = NamesOf(flags.a, flags.b);
  const absl::StatusOr<NamedRun> a = ReadRun(flags.a, names[0]);
  if (!a.ok()) return line.Complain(a.status().message());
  const absl::StatusOr<NamedRun> b = ReadRun(flags.b, names[1]);
  if (!b.ok()) return line.Complain(b.status().message());
  fputs(FormatComparison(*a, *b).c_str(), stdout);
  const std::string warning = DifferenceWarning(*a, *b);
  if (!warning.empty()) fprintf(stderr, "loadgen: %s\n", warning.c_str());
  if (!flags.plot.empty()) {
    const absl::Status written = WriteFile(flags.plot, DrawPlot({*a, *b}));
    if (!written.ok()) return line.Complain(written.message());
  }
  const std::vector<std::string> crossed =
      Crossed(thresholds, b->summary, &a->summary);
  for (const std::string& threshold : crossed)
    fprintf(stderr, "loadgen: %s: %s\n", names[1].c_str(), threshold.c_str());
  return crossed.empty() ? 0 : kCrossed;
}

}  // namespace

std::optional<int> RunCompare(int argc, char** argv) {
  char** const end = argv + argc;
  char** const found = std::find_if(argv, end, [](std::string_view argument) {
    return argument == "--compare" || argument.starts_with("--compare=");
  });
  if (found == end) return std::nullopt;
  CompareFlags flags;
  CommandLine line("loadgen --compare",
                   "shows two runs side by side: --compare A.json B.json");
  line.Add("compare", "the first run, as --json or --output wrote it",
           &flags.a);
  line.Add("plot", "also draw both into this SVG file", &flags.plot);
  line.Add("fail-if",
           "exit with 1 if the second run crosses a threshold: p99>2ms, or "
           "p99>110% of the first",
           &flags.fail_if);
  line.AddArgument("B.json", "the second run", &flags.b);
  std::vector<char*> arguments =
      FlagsFirst(argc, argv, static_cast<int>(found - argv));
  if (std::optional<int> code = line.Parse(argc, arguments.data())) return code;
  return Compare(line, flags);
}

}  // namespace ringway::loadgen
