// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/runnable.h"

#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

struct Append : Runnable {
  Append(std::vector<int>& log, int number)
      : Runnable(&Append::Run), log(log), number(number) {}

  static void Run(Runnable& self) {
    auto& append = static_cast<Append&>(self);
    append.log.push_back(append.number);
  }

  std::vector<int>& log;
  int number;
};

TEST(Runnable, RunsInTheOrderOfTheQueue) {
  std::vector<int> log;
  Append first(log, 1), second(log, 2);
  RunnableList ready;
  ready.PushBack(first);
  ready.PushBack(second);

  while (Runnable* next = ready.PopFront()) next->Run();

  EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

struct DeletesItself : Runnable {
  explicit DeletesItself(bool& deleted)
      : Runnable(
            [](Runnable& self) { delete static_cast<DeletesItself*>(&self); }),
        deleted(deleted) {}
  ~DeletesItself() { deleted = true; }

  bool& deleted;
};

TEST(Runnable, MayDestroyItselfWhenRun) {
  bool deleted = false;
  RunnableList ready;
  ready.PushBack(*new DeletesItself(deleted));

  ready.PopFront()->Run();

  EXPECT_TRUE(deleted);
}

}  // namespace
}  // namespace ringway
