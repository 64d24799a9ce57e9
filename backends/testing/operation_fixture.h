// SPDX-License-Identifier: Apache-2.0
//
// OperationConformance: for tests that run one operation at a time to its end
// and check the result.
//
//   TEST_P(MyConformance, SaysTheBehaviourInWords) {
//     PrepareRead(op_, fd, buffer_, 0);
//     EXPECT_EQ(Run(), 5);
//     EXPECT_EQ(Text(5), "hello");
//   }

#ifndef RINGWAY_BACKENDS_TESTING_OPERATION_FIXTURE_H_
#define RINGWAY_BACKENDS_TESTING_OPERATION_FIXTURE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {

class OperationConformance : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDriver(Options());
  }

  // Replaces the driver, for options other than the variant's.
  void MakeDriver(const BackendOptions& options) {
    driver_ = std::make_unique<BackendDriver>(MakeForTest(options));
  }

  BackendDriver& driver() { return *driver_; }

  // Runs `op_` to its end. Returns its result.
  int32_t Run() { return driver().RunToEnd(op_); }

  // Starts `op_` and expects it to wait.
  void StartAndPend() {
    op_.completions = 0;
    driver().Start(op_);
    driver().TurnWithoutBlocking();
    ASSERT_EQ(op_.completions, 0) << "result " << op_.result;
  }

  // Turns until `op_` is done. Returns its result.
  int32_t Finish() {
    EXPECT_TRUE(driver().RunUntil([&] { return op_.done(); }));
    EXPECT_EQ(op_.completions, 1);
    return op_.result;
  }

  // Receives as the peer until there are `n_bytes` or the stream has ended.
  std::string ReceiveAll(int fd, size_t n_bytes);

  // The start of `buffer_`.
  std::string_view Text(size_t n_bytes) const {
    return AsText(std::span(buffer_).first(n_bytes));
  }

  CountedOperation op_;
  std::array<std::byte, 64> buffer_ = {};

 private:
  std::unique_ptr<BackendDriver> driver_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_OPERATION_FIXTURE_H_
