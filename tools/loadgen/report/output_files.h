// SPDX-License-Identifier: Apache-2.0
//
// The files that a run is written to, besides what it prints.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_OUTPUT_FILES_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_OUTPUT_FILES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringway::loadgen {

// An empty name: it is not written.
struct OutputFiles {
  OutputFiles() {}

  std::string json;
  std::string csv;
  std::string plot;
};

// Creates those that do not exist, so that a run of an hour does not end with
// a name that cannot be written.
//
// Errors: with the name of the file.
absl::Status PrepareFiles(const OutputFiles& files);

// Errors of both: with the name of the file.
absl::Status WriteFile(const std::string& name, std::string_view content);
absl::StatusOr<std::string> ReadFile(const std::string& name);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_OUTPUT_FILES_H_
