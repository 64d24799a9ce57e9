// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/check.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ringway::internal {
namespace {

// Headers are compiled from a folder of links. The path from the last
// "ringway/" on is the one in #include lines.
const char* AsIncluded(const char* file) {
  constexpr char kPrefix[] = "ringway/";
  const char* begin = file;
  for (const char* at = strstr(file, kPrefix); at != nullptr;
       at = strstr(at + 1, kPrefix)) {
    begin = at;
  }
  return begin;
}

}  // namespace

void CheckFailed(const char* file, int line, const char* condition,
                 const char* format, ...) {
  // One buffer and one write, so that messages of two threads do not
  // interleave.
  char message[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  fprintf(stderr, "%s:%d: check failed: %s: %s\n", AsIncluded(file), line,
          condition, message);
  fflush(stderr);
  abort();
}

}  // namespace ringway::internal
