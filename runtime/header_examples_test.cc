// SPDX-License-Identifier: Apache-2.0
//
// The examples of runtime.h, compiled and run. The last test compares: what the
// header shows stands here, but for the space between.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

int ServeEcho() {
  ringway::Runtime::Builder builder;
  builder.Listen("127.0.0.1:7878", Echo);
  return ringway::RunUntilSignal(builder);
}

using Key = size_t;
using Value = std::string;
std::string Find(Key key) { return "the value of " + std::to_string(key); }

Task<absl::StatusOr<Value>> Lookup(Key key) {
  const size_t n = CurrentWorkers().size();
  auto found = co_await SpawnOn(CurrentWorkers()[key % n], Find, key);
  co_return found;
}

TEST_F(RuntimeTest, AsksTheOwnerOfAKey) {
  static_cast<void>(&ServeEcho);  // it would serve until a signal
  absl::StatusOr<Value> value;
  Runtime::Builder builder;
  builder.Workers(2).OnStart(
      [&]() -> Task<absl::Status> {
        absl::StatusOr<Value> found = co_await Lookup(7);
        if (CurrentWorker() == 0) value = std::move(found);
        co_return absl::OkStatus();
      },
      OnStartFailure::kFailLaunch);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(value.value_or(""), "the value of 7");
}

TEST(RuntimeHeaderExamples, OfTheHeaderAreTheseHere) {
  const std::string header = "runtime/runtime.h";
  const std::string source = "runtime/header_examples_test.cc";
  testing::ExpectHeaderQuotes(header, source);
  const std::string_view below =
      "auto found = co_await SpawnOn(CurrentWorkers()[key % n], Find, key);";
  for (const std::string& file : {header, source}) {
    EXPECT_NE(
        testing::ContentsOf(file).find(std::string("  ") + std::string(below)),
        std::string::npos)
        << file;
  }
}

}  // namespace
}  // namespace ringway
