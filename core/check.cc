// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/check.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace ringway::internal {

void CheckFailed(const char* file, int line, const char* condition,
                 const char* format, ...) {
  // One buffer, one write: messages of two dying threads do not interleave.
  char message[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  fprintf(stderr, "%s:%d: check failed: %s: %s\n", file, line, condition,
          message);
  fflush(stderr);
  abort();
}

}  // namespace ringway::internal
