// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/threshold.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {
namespace {

struct Figure {
  std::string_view name;
  FigureKind kind;
  double percentile;  // of a latency; negative: the mean
};

constexpr double kMean = -1;

constexpr std::array<Figure, 15> kFigures = {{
    {"p50", FigureKind::kLatency, 50},
    {"p90", FigureKind::kLatency, 90},
    {"p95", FigureKind::kLatency, 95},
    {"p99", FigureKind::kLatency, 99},
    {"p99.9", FigureKind::kLatency, 99.9},
    {"p99.99", FigureKind::kLatency, 99.99},
    {"max", FigureKind::kLatency, 100},
    {"mean", FigureKind::kLatency, kMean},
    {"rate", FigureKind::kRate, 0},
    {"goodput", FigureKind::kRate, 0},
    {"errors", FigureKind::kCount, 0},
    {"dropped", FigureKind::kCount, 0},
    {"lost", FigureKind::kCount, 0},
    {"cpu", FigureKind::kCpu, 0},
    {"client_cpu", FigureKind::kCpu, 0},
}};

const Figure* FindFigure(std::string_view name) {
  for (const Figure& figure : kFigures)
    if (figure.name == name) return &figure;
  return nullptr;
}

bool IsTime(FigureKind kind) {
  return kind == FigureKind::kLatency || kind == FigureKind::kCpu;
}

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the threshold '", std::string(text), "': ", std::string(why)));
}

std::string FigureNames() {
  std::string names;
  for (const Figure& figure : kFigures) {
    absl::StrAppend(&names, names.empty() ? "" : " ", std::string(figure.name));
  }
  return names;
}

// Microseconds in a unit; nullopt if it is none of time.
std::optional<double> MicrosecondsIn(std::string_view unit) {
  if (unit == "ns") return 1e-3;
  if (unit == "us") return 1;
  if (unit == "ms") return 1e3;
  if (unit == "s") return 1e6;
  return std::nullopt;
}

// Sets the limit from a number with its unit; why it cannot, otherwise empty.
std::string SetLimit(std::string_view text, Threshold& threshold) {
  const size_t n_digits = text.find_first_not_of("0123456789.");
  const std::string number(text.substr(0, n_digits));
  const std::string_view unit =
      n_digits == std::string_view::npos
          ? ""
          : absl::StripAsciiWhitespace(text.substr(n_digits));
  if (number.empty() || !absl::SimpleAtod(number, &threshold.limit) ||
      !std::isfinite(threshold.limit)) {
    return "no number after the comparison";
  }
  threshold.per_cent = unit == "%";
  if (threshold.per_cent) return "";
  if (!IsTime(threshold.kind)) {
    return unit.empty()
               ? ""
               : absl::StrCat("'", std::string(unit), "' is no unit of ",
                              threshold.figure, ", a plain number or %");
  }
  const std::optional<double> microseconds = MicrosecondsIn(unit);
  if (!microseconds.has_value()) {
    return absl::StrCat(unit.empty() ? std::string("a time needs a unit")
                                     : absl::StrCat("'", std::string(unit),
                                                    "' is no unit of time"),
                        ": ns, us, ms or s");
  }
  threshold.limit *= *microseconds;
  return "";
}

absl::StatusOr<Threshold> ParseThreshold(std::string_view text) {
  const size_t at = text.find_first_of("<>=!");
  const std::string_view name = absl::StripAsciiWhitespace(text.substr(0, at));
  if (text.empty()) return Wrong(text, "it is empty");
  if (at == std::string_view::npos || text[at] == '=' || text[at] == '!') {
    return Wrong(text, "no comparison, which is > >= < or <=, as in p99>2ms");
  }
  const Figure* figure = FindFigure(name);
  if (figure == nullptr) {
    return Wrong(text, absl::StrCat("no figure is named '", std::string(name),
                                    "'; there are ", FigureNames()));
  }
  const bool equal = at + 1 < text.size() && text[at + 1] == '=';
  Threshold threshold;
  threshold.text = std::string(text);
  threshold.figure = std::string(name);
  threshold.kind = figure->kind;
  threshold.comparison =
      text[at] == '>' ? (equal ? Comparison::kAtLeast : Comparison::kMore)
                      : (equal ? Comparison::kAtMost : Comparison::kLess);
  const std::string why = SetLimit(
      absl::StripAsciiWhitespace(text.substr(at + (equal ? 2 : 1))), threshold);
  if (!why.empty()) return Wrong(text, why);
  return threshold;
}

// The figure in its own unit: microseconds, requests per second, requests.
std::optional<double> ValueOf(const Threshold& threshold, const Summary& run) {
  switch (threshold.kind) {
    case FigureKind::kLatency: {
      const double percentile = FindFigure(threshold.figure)->percentile;
      return percentile == kMean ? run.mean_us : run.At(percentile);
    }
    case FigureKind::kRate:
      return run.per_second;
    case FigureKind::kCount:
      if (threshold.figure == "errors") return static_cast<double>(run.errors);
      if (threshold.figure == "lost") {
        if (!run.lost.has_value()) return std::nullopt;
        return static_cast<double>(*run.lost);
      }
      if (!run.open.has_value()) return std::nullopt;
      return static_cast<double>(run.open->dropped);
    case FigureKind::kCpu: {
      const std::optional<CpuUse>& cpu =
          threshold.figure == "cpu" ? run.server_cpu : run.client_cpu;
      if (!cpu.has_value()) return std::nullopt;
      return cpu->us_per_request;
    }
  }
  return std::nullopt;
}

double PerCent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

// The figure in per cent of what a run by itself has.
std::optional<double> ShareOf(const Threshold& threshold, const Summary& run) {
  const std::optional<double> value = ValueOf(threshold, run);
  if (!value.has_value()) return std::nullopt;
  switch (threshold.kind) {
    case FigureKind::kLatency:
      return std::nullopt;
    case FigureKind::kRate:
      if (!run.open.has_value()) return std::nullopt;
      return PerCent(*value * run.seconds,
                     static_cast<double>(run.open->offered));
    case FigureKind::kCount:
      return PerCent(*value,
                     run.open.has_value()
                         ? static_cast<double>(run.open->offered)
                         : static_cast<double>(run.requests + run.errors +
                                               run.lost.value_or(0)));
    case FigureKind::kCpu:
      return 100 * (threshold.figure == "cpu" ? run.server_cpu->share
                                              : run.client_cpu->share);
  }
  return std::nullopt;
}

std::optional<double> RatioTo(const Threshold& threshold, const Summary& run,
                              const Summary& first) {
  const std::optional<double> value = ValueOf(threshold, run);
  const std::optional<double> before = ValueOf(threshold, first);
  if (!value.has_value() || !before.has_value() || *before <= 0)
    return std::nullopt;
  return PerCent(*value, *before);
}

bool IsCrossed(const Threshold& threshold, double value) {
  switch (threshold.comparison) {
    case Comparison::kMore:
      return value > threshold.limit;
    case Comparison::kAtLeast:
      return value >= threshold.limit;
    case Comparison::kLess:
      return value < threshold.limit;
    case Comparison::kAtMost:
      return value <= threshold.limit;
  }
  return true;
}

std::string ValueText(const Threshold& threshold, double value) {
  if (threshold.per_cent) return absl::StrFormat("%.4g %%", value);
  if (IsTime(threshold.kind)) return TimeText(value);
  return threshold.kind == FigureKind::kRate ? absl::StrFormat("%.1f", value)
                                             : absl::StrFormat("%.0f", value);
}

}  // namespace

absl::StatusOr<std::vector<Threshold>> ParseThresholds(std::string_view text) {
  std::vector<Threshold> thresholds;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(part);
    absl::StatusOr<Threshold> threshold =
        ParseThreshold(std::string_view(stripped.data(), stripped.size()));
    if (!threshold.ok()) return threshold.status();
    thresholds.push_back(*std::move(threshold));
  }
  return thresholds;
}

absl::Status CheckMeasurable(const std::vector<Threshold>& thresholds,
                             const Measurable& measurable) {
  if (measurable.two_runs) return absl::OkStatus();
  for (const Threshold& threshold : thresholds) {
    if (threshold.figure == "cpu" && !measurable.server_cpu) {
      return Wrong(threshold.text,
                   "the server's CPU time is measured with --server-pid");
    }
    if (threshold.per_cent && threshold.kind == FigureKind::kLatency) {
      return Wrong(threshold.text,
                   "a latency in per cent is of another run: --compare");
    }
    if (threshold.figure == "lost" && !measurable.open_loop &&
        !measurable.datagrams) {
      return Wrong(threshold.text,
                   "only an open loop and UDP have that: --rate, --phases or "
                   "--protocol=udp");
    }
    const bool of_open_loop =
        threshold.figure == "dropped" ||
        (threshold.per_cent && threshold.kind == FigureKind::kRate);
    if (of_open_loop && !measurable.open_loop) {
      return Wrong(threshold.text,
                   "only an open loop has that: --rate or --phases");
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> Crossed(const std::vector<Threshold>& thresholds,
                                 const Summary& run, const Summary* first) {
  std::vector<std::string> crossed;
  for (const Threshold& threshold : thresholds) {
    const bool of_first = threshold.per_cent && first != nullptr &&
                          threshold.kind != FigureKind::kCount;
    const std::optional<double> value =
        of_first             ? RatioTo(threshold, run, *first)
        : threshold.per_cent ? ShareOf(threshold, run)
                             : ValueOf(threshold, run);
    if (!value.has_value()) {
      crossed.push_back(absl::StrCat(threshold.text, ": it was not measured"));
    } else if (IsCrossed(threshold, *value)) {
      crossed.push_back(absl::StrCat(threshold.text, ": it is ",
                                     ValueText(threshold, *value)));
    }
  }
  return crossed;
}

bool LimitsErrors(const std::vector<Threshold>& thresholds) {
  for (const Threshold& threshold : thresholds)
    if (threshold.figure == "errors") return true;
  return false;
}

}  // namespace ringway::loadgen
