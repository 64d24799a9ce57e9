// SPDX-License-Identifier: Apache-2.0
//
// The colours of the plots: told apart also by those who see no red or green,
// and in print.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_PALETTE_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_PALETTE_H_

#include <array>
#include <string_view>

namespace ringway::loadgen {

inline constexpr std::string_view kMedianColor = "#2563eb";
inline constexpr std::string_view kTailColor = "#ea580c";
inline constexpr std::string_view kMaximumColor = "#94a3b8";
inline constexpr std::string_view kRateColor = "#0f766e";
inline constexpr std::string_view kOfferedColor = "#64748b";
inline constexpr std::string_view kErrorColor = "#b91c1c";
inline constexpr std::string_view kCurveColor = "#1e293b";

// Of two runs.
inline constexpr std::array<std::string_view, 2> kRunColors = {"#2563eb",
                                                               "#ea580c"};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_PALETTE_H_
