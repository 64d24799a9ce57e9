// SPDX-License-Identifier: Apache-2.0
//
// The libFuzzer entry point of CheckRangesScript().
//
//   bazel build --config=fuzz //http/files/fuzz:ranges_fuzzer
//   bazel-bin/http/files/fuzz/ranges_fuzzer -max_len=300 -max_total_time=600

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/http/files/fuzz/ranges_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ringway::fuzz::CheckRangesScript(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
