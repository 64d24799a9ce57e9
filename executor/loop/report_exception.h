// SPDX-License-Identifier: Apache-2.0
//
// ReportException: prints one line on stderr for an exception that is caught
// and not propagated.

#ifndef RINGWAY_EXECUTOR_LOOP_REPORT_EXCEPTION_H_
#define RINGWAY_EXECUTOR_LOOP_REPORT_EXCEPTION_H_

#include <exception>

namespace ringway {

// Prints `ringway: WHAT threw: TEXT`.
//
// Threads: any. Cost: needs no memory.
void ReportException(const char* what, const std::exception_ptr& exception);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_REPORT_EXCEPTION_H_
