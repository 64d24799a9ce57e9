// SPDX-License-Identifier: Apache-2.0
//
// The libFuzzer entry point of OperationModel: the first byte chooses the
// backends, the rest is the program.
//
//   bazel build --config=fuzz //backends/fuzz:operation_fuzzer
//   bazel-bin/backends/fuzz/operation_fuzzer -max_len=512 -max_total_time=3600

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ringway/backends/fuzz/operation_model.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/real_system.h"
#include "ringway/core/check.h"

namespace ringway::fuzz {
namespace {

// Created once, because setting up a ring takes longer than a program. Each
// program leaves the backends idle.
testing::BackendDriver& Driver(BackendKind kind) {
  const auto make = [](BackendKind k) {
    BackendOptions options;
    options.kind = k;
    options.submission_entries = 4;  // so that queues fill up
    options.completion_entries = 8;
    options.receive_buffer_count = 4;
    options.receive_buffer_bytes = 64;
    absl::StatusOr<std::unique_ptr<Backend>> backend = MakeBackend(options);
    RINGWAY_CHECK(backend.ok(), "%s", backend.status().ToString().c_str());
    return new testing::BackendDriver(*std::move(backend));
  };
  static testing::BackendDriver& uring = *make(BackendKind::kUring);
  static testing::BackendDriver& epoll = *make(BackendKind::kEpoll);
  return kind == BackendKind::kUring ? uring : epoll;
}

}  // namespace
}  // namespace ringway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ringway::BackendKind;
  if (size == 0) return 0;
  const auto kind = [&](int bit) {
    return (data[0] >> bit & 1) != 0 ? BackendKind::kEpoll
                                     : BackendKind::kUring;
  };
  static ringway::testing::System& system =
      *ringway::testing::MakeRealSystem().release();
  ringway::fuzz::RunProgram(std::span(data, size).subspan(1), system,
                            ringway::fuzz::Driver(kind(0)),
                            ringway::fuzz::Driver(kind(1)));
  return 0;
}
