// SPDX-License-Identifier: Apache-2.0
//
// MetricsDocument: the text of docs/metrics.md.

#ifndef RINGWAY_RUNTIME_METRICS_METRICS_DOCUMENT_H_
#define RINGWAY_RUNTIME_METRICS_METRICS_DOCUMENT_H_

#include <string>

namespace ringway::internal {

std::string MetricsDocument();

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_METRICS_METRICS_DOCUMENT_H_
