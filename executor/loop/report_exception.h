// SPDX-License-Identifier: Apache-2.0
//
// ReportException: one line on stderr for an exception that ends where it was
// caught, because what it came from must go on.

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
