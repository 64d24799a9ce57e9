// SPDX-License-Identifier: Apache-2.0
//
// The libFuzzer entry point of CheckAddressText().
//
//   bazel build --config=fuzz //net/fuzz:address_fuzzer
//   bazel-bin/net/fuzz/address_fuzzer -max_len=200 -max_total_time=600

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/net/fuzz/address_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ringway::fuzz::CheckAddressText(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
