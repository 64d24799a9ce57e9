// SPDX-License-Identifier: Apache-2.0
//
// The libFuzzer entry point of CheckHttp1Responses().
//
//   bazel build --config=fuzz //http/fuzz:http1_response_fuzzer
//   bazel-bin/http/fuzz/http1_response_fuzzer -max_len=4000 -max_total_time=600

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/http/fuzz/http1_response_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ringway::fuzz::CheckHttp1Responses(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
