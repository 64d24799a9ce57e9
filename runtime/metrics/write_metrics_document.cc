// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/metrics.md.

#include <cstdio>

#include "ringway/runtime/metrics/metrics_document.h"

int main() {
  const std::string text = ringway::internal::MetricsDocument();
  return fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
