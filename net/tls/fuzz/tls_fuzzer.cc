// SPDX-License-Identifier: Apache-2.0
//
// The libFuzzer entry point of CheckTlsScript().
//
//   bazel build --config=fuzz //net/tls/fuzz:tls_fuzzer
//   bazel-bin/net/tls/fuzz/tls_fuzzer -max_len=4000 -max_total_time=600

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/net/tls/fuzz/tls_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ringway::fuzz::CheckTlsScript(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
