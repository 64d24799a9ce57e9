// SPDX-License-Identifier: Apache-2.0
//
// Telling bad luck from mistakes.

#ifndef RINGWAY_TOOLS_SIM_LUCK_H_
#define RINGWAY_TOOLS_SIM_LUCK_H_

#include <cerrno>
#include <cstdint>

namespace ringway::simulation {

// True for results that only a wrong program gets.
inline bool IsMistake(int32_t result) {
  switch (-result) {
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case ENOTCONN:
    case EISCONN:
    case EALREADY:
    case EOPNOTSUPP:
    case ENOTDIR:
    case EISDIR:
    case ENOENT:
    case EEXIST:
      return true;
    default:
      return false;
  }
}

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_LUCK_H_
