// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/report_exception.h"

#include <cstdio>

namespace ringway {

void ReportException(const char* what, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    fprintf(stderr, "ringway: %s threw: %s\n", what, e.what());
  } catch (...) {
    fprintf(stderr, "ringway: %s threw an unknown type\n", what);
  }
}

}  // namespace ringway
