// SPDX-License-Identifier: Apache-2.0
//
// Every option of a loop, an executor and a ring has a range, and values
// below and above it are refused with the option's name; constructors, which
// return no status, abort. Enums made by a cast and counts beyond any memory
// used to be accepted.

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/make_backend.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_options.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

struct Case {
  std::string_view option;
  const char* value;
  absl::Status (*check)();
  bool valid;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.option << " = " << c.value;
}

#define CASE(Struct, member, value, valid)          \
  {                                                 \
#Struct "::" #member, #value,                     \
   [] {                                              \
     Struct options;                                 \
     options.member = value;                         \
     return Check##Struct(options);                  \
   },                                                \
   valid \
  }

constexpr absl::Duration kForever = absl::InfiniteDuration();

const Case kCases[] = {
    CASE(LoopOptions, ready_budget, 0, false),
    CASE(LoopOptions, ready_budget, 1, true),
    CASE(LoopOptions, ready_budget, kLargestReadyBudget, true),
    CASE(LoopOptions, ready_budget, kLargestReadyBudget + 1, false),
    CASE(LoopOptions, spin, SpinMode::kOff, true),
    CASE(LoopOptions, spin, SpinMode::kFixed, true),
    CASE(LoopOptions, spin, static_cast<SpinMode>(3), false),
    CASE(LoopOptions, spin, static_cast<SpinMode>(255), false),
    CASE(LoopOptions, spin_limit, -absl::Nanoseconds(1), false),
    CASE(LoopOptions, spin_limit, absl::ZeroDuration(), false),
    CASE(LoopOptions, spin_limit, absl::Nanoseconds(1), true),
    CASE(LoopOptions, spin_limit, absl::Milliseconds(1), true),
    CASE(LoopOptions, spin_limit, absl::Milliseconds(1.1), false),
    CASE(LoopOptions, spin_limit, kForever, false),
    CASE(LoopOptions, shuffle_seed, ~uint64_t{0}, true),
    CASE(ExecutorOptions, max_tasks, 0, false),
    CASE(ExecutorOptions, max_tasks, 1, true),
    CASE(ExecutorOptions, max_tasks, kMostTasks, true),
    CASE(ExecutorOptions, max_tasks, kMostTasks + 1, false),
    CASE(ExecutorOptions, max_tasks, ~size_t{0}, false),
    CASE(ExecutorOptions, shutdown_grace, -absl::Nanoseconds(1), false),
    CASE(ExecutorOptions, shutdown_grace, absl::ZeroDuration(), true),
    CASE(ExecutorOptions, shutdown_grace, kForever, true),
    CASE(ExecutorOptions, time_slice, -absl::Nanoseconds(1), false),
    CASE(ExecutorOptions, time_slice, absl::ZeroDuration(), true),
    CASE(ExecutorOptions, time_slice, kForever, true),
    CASE(ExecutorOptions, overrun_budget, -kForever, false),
    CASE(ExecutorOptions, overrun_budget, absl::ZeroDuration(), false),
    CASE(ExecutorOptions, overrun_budget, absl::Nanoseconds(1), true),
    CASE(ExecutorOptions, overrun_budget, kForever, true),
    CASE(RingOptions, max_tasks, 0, false),
    CASE(RingOptions, max_tasks, 1, true),
    CASE(RingOptions, max_tasks, kMostTasks, true),
    CASE(RingOptions, max_tasks, kMostTasks + 1, false),
};

#undef CASE

class OptionsTest : public ::testing::TestWithParam<Case> {};

TEST_P(OptionsTest, AreRefusedOutOfRangeByName) {
  const absl::Status status = GetParam().check();
  EXPECT_EQ(status.ok(), GetParam().valid) << status;
  if (GetParam().valid) return;
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(GetParam().option), std::string::npos)
      << status;
  EXPECT_NE(status.message().find("must be"), std::string::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(Limits, OptionsTest, ::testing::ValuesIn(kCases));

TEST(Options, AreCheckedWhereSomethingIsMadeFromThem) {
  LoopOptions loop;
  loop.spin = static_cast<SpinMode>(3);
  EXPECT_EQ(Loop::Create(loop).status(), CheckLoopOptions(loop));
  ExecutorOptions executor;
  executor.max_tasks = kMostTasks + 1;
  EXPECT_EQ(Executor::Create(executor).status(),
            CheckExecutorOptions(executor));
  executor.max_tasks = 1;
  executor.loop = loop;
  EXPECT_EQ(Executor::Create(executor).status(), CheckLoopOptions(loop));
  RingOptions ring;
  ring.max_tasks = 0;
  EXPECT_EQ(Ring::Create(ring).status(), CheckRingOptions(ring));
}

TEST(OptionsDeathTest, ConstructorsAbortNamingTheOption) {
  LoopOptions loop;
  loop.ready_budget = 0;
  EXPECT_DEATH(Loop(*MakeBackend(BackendOptions()), loop),
               "LoopOptions::ready_budget is 0, must be 1");
  ExecutorOptions executor;
  executor.max_tasks = 0;
  EXPECT_DEATH(Executor(*Loop::Create(LoopOptions()), executor),
               "ExecutorOptions::max_tasks is 0, must be 1");
  RingOptions ring;
  ring.max_tasks = kMostTasks + 1;
  EXPECT_DEATH(Ring(*Loop::Create(LoopOptions()), ring),
               "RingOptions::max_tasks is 1073741825, must be 1");
}

}  // namespace
}  // namespace ringway
