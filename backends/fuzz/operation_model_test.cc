// SPDX-License-Identifier: Apache-2.0
//
// Random programs, the same in every run, on every backend.

#include "ringway/backends/fuzz/operation_model.h"

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::fuzz {
namespace {

class OperationModel : public testing::BackendConformance {
 protected:
  // So small that queues fill up and buffers run out.
  static BackendOptions TinyOptions() {
    BackendOptions options = Options();
    options.submission_entries = 4;
    options.completion_entries = 8;
    options.receive_buffer_count = 4;
    options.receive_buffer_bytes = 64;
    return options;
  }
};

TEST_P(OperationModel, RandomProgramsLoseNothing) {
  testing::BackendDriver a(MakeForTest(TinyOptions()));
  testing::BackendDriver b(MakeForTest(TinyOptions()));
  std::mt19937 random(1);  // its numbers are the same everywhere
  std::vector<uint8_t> program(300);
  for (int i = 0; i < 2000; ++i) {
    for (uint8_t& byte : program) byte = static_cast<uint8_t>(random());
    SCOPED_TRACE(i);
    RunProgram(program, system(), a, b);
  }
}

TEST_P(OperationModel, AnEmptyProgramLeavesNothing) {
  testing::BackendDriver a(MakeForTest(TinyOptions()));
  testing::BackendDriver b(MakeForTest(TinyOptions()));
  RunProgram({}, system(), a, b);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OperationModel);

}  // namespace
}  // namespace ringway::fuzz
