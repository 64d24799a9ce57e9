// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/handles.h"

#include <array>
#include <cstring>

#include "openssl/err.h"

namespace ringway::net::internal {

std::string TakeOpenSslError() {
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int)
  ERR_clear_error();
  if (code == 0) return {};
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  std::array<char, 256> text;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

}  // namespace ringway::net::internal
