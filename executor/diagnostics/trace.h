// SPDX-License-Identifier: Apache-2.0
//
// ChromeTrace: what TraceRecorders have recorded as a file that Perfetto
// (ui.perfetto.dev) and chrome://tracing show.
//
//   ringway::WriteChromeTrace(path, {&first, &second})
//
// Each recorder is a row with its turns, and in these the resumes of tasks.
// Between two turns the loop waits. Tasks, from spawn to end, and operations
// are rows of their own below. Times are those of the loop's clock: virtual
// ones in a simulation.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_H_

#include <initializer_list>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "ringway/executor/diagnostics/trace_recorder.h"

namespace ringway {

// Returns the JSON text: about 120 bytes for each event. It is balanced: the
// end of what began before the oldest event is left out, and what has not
// ended ends with the newest one. Bytes of names that are not UTF-8 are
// replaced.
//
// Threads: any.
std::string ChromeTrace(std::span<const TraceLog> logs);

// Writes the JSON text of these recorders to the file `path`, which it makes
// or replaces. Blocks, so not for a loop's thread (RunBlocking()).
//
// Errors:  the errno of open(2), write(2) or close(2), with the path.
// Threads: any, also while the executors run: see TraceRecorder::Log().
absl::Status WriteChromeTrace(const std::string& path,
                              std::span<const TraceRecorder* const> recorders);
absl::Status WriteChromeTrace(
    const std::string& path,
    std::initializer_list<const TraceRecorder*> recorders);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_H_
