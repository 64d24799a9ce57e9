// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/executor_locals.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

struct Hits {
  int n = 0;
};

std::vector<std::string>& Destroyed() {
  static std::vector<std::string> names;
  return names;
}
struct First {
  ~First() { Destroyed().push_back("first"); }
};
struct Second {
  ~Second() { Destroyed().push_back("second"); }
};

Task<int> Hit() { co_return ++CurrentExecutor().locals().Get<Hits>().n; }

TEST(ExecutorLocals, EachExecutorHasItsOwn) {
  const auto one = *Executor::Create();
  const auto other = *Executor::Create();
  EXPECT_EQ(*one->Run(Hit()), 1);
  EXPECT_EQ(*one->Run(Hit()), 2);
  EXPECT_EQ(*other->Run(Hit()), 1);
  EXPECT_EQ(&one->locals().Get<Hits>(), &one->locals().Get<Hits>());
}

TEST(ExecutorLocals, GoInTheReverseOrderWhenAllTasksHaveEnded) {
  Destroyed().clear();
  {
    const auto executor = *Executor::Create();
    executor->locals().Get<First>();
    executor->locals().Get<Second>();
    struct AtEnd {
      ~AtEnd() { Destroyed().push_back("task"); }
    };
    auto wait = []() -> Task<void> {
      const AtEnd at_end;
      static_cast<void>(co_await Event().Wait());
    };
    executor->Spawn(wait()).Detach();
    auto nothing = []() -> Task<void> { co_return; };
    EXPECT_EQ(executor->Run(nothing()), absl::OkStatus());
  }
  EXPECT_EQ(Destroyed(), (std::vector<std::string>{"task", "second", "first"}));
}

}  // namespace
}  // namespace ringway
