// SPDX-License-Identifier: Apache-2.0
//
// Method: what a request asks for (RFC 9110, section 9).

#ifndef RINGWAY_HTTP_MESSAGE_METHOD_H_
#define RINGWAY_HTTP_MESSAGE_METHOD_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::http {

enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
};
inline constexpr size_t kMethods = 9;

// Such as "GET".
std::string_view MethodName(Method method);

// Whether it changes nothing (RFC 9110, section 9.2.1).
constexpr bool IsSafe(Method method) {
  return method == Method::kGet || method == Method::kHead ||
         method == Method::kOptions || method == Method::kTrace;
}

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_METHOD_H_
