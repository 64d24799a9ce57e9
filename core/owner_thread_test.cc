// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/owner_thread.h"

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(OwnerThread, IsTheThreadThatMadeIt) {
  OwnerThread owner;

  EXPECT_TRUE(owner.IsCurrent());
  EXPECT_FALSE(owner.forked());
  owner.Check("a loop");
}

TEST(OwnerThread, IsNotAnotherThread) {
  OwnerThread owner;

  std::thread([&] {
    EXPECT_FALSE(owner.IsCurrent());
    EXPECT_FALSE(owner.forked());
    EXPECT_TRUE(OwnerThread().IsCurrent());
  }).join();
}

TEST(OwnerThread, IsNotTheSameThreadOfAForkedChild) {
  OwnerThread owner;

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool right =
        owner.forked() && !owner.IsCurrent() && OwnerThread().IsCurrent();
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);

  EXPECT_EQ(status, 0) << "exit status of the child";
  EXPECT_TRUE(owner.IsCurrent()) << "the parent is untouched";
}

TEST(OwnerProcess, IsAnyThreadOfTheProcessAndNoForkedChild) {
  const OwnerProcess owner;
  std::thread([&] { EXPECT_FALSE(owner.forked()); }).join();

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(owner.forked() && !OwnerProcess().forked() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);

  EXPECT_EQ(status, 0) << "exit status of the child";
  EXPECT_FALSE(owner.forked()) << "the parent is untouched";
}

TEST(OwnerProcessDeathTest, ChecksAbortInAChildNamingTheObject) {
  const OwnerProcess owner;
  owner.Check("the runtime");
  GTEST_FLAG_SET(death_test_style, "fast");  // a fork, and no new program
  EXPECT_DEATH(owner.Check("the runtime"),
               "the runtime belongs to the parent process");
}

TEST(OwnerThread, IsGoneWhenItHasEndedAndNotReplacedByALaterThread) {
  OwnerThread owner = OwnerThread::Unbound();
  std::thread([&] {
    owner.BindOrCheck("a lock");
    EXPECT_FALSE(owner.gone());
  }).join();
  EXPECT_TRUE(owner.gone());
  std::thread([&] {  // with the memory of the first, as likely as not
    EXPECT_TRUE(OwnerThread().IsCurrent());
    EXPECT_FALSE(owner.IsCurrent());
  })
      .join();
  owner.CheckOrGone("a lock");
  owner.BindOrCheck("a lock");
  EXPECT_TRUE(owner.IsCurrent());
}

TEST(OwnerThread, IsNoneUntilItIsBound) {
  OwnerThread owner = OwnerThread::Unbound();
  std::thread([&] {
    EXPECT_FALSE(owner.IsCurrent());
    EXPECT_TRUE(owner.gone());
    owner.CheckOrGone("a lock");
  }).join();
  owner.BindOrCheck("a lock");
  EXPECT_TRUE(owner.IsCurrent());
  EXPECT_FALSE(owner.gone());
}

TEST(OwnerThread, IsGoneInAForkedChildWhichCanBindIt) {
  OwnerThread owner;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool gone = owner.gone() && owner.forked();
    owner.BindOrCheck("a lock");
    _exit(gone && owner.IsCurrent() && !owner.forked() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "exit status of the child";
  EXPECT_FALSE(owner.gone());
}

TEST(OwnerThreadDeathTest, ALivingOwnerIsNotReplaced) {
  const auto check_elsewhere = [](auto check) {
    OwnerThread owner;  // of the process that is to die
    std::thread([&] { check(owner); }).join();
  };
  EXPECT_DEATH(check_elsewhere([](auto& o) { o.CheckOrGone("the lock"); }),
               "the lock was used from a foreign thread");
  EXPECT_DEATH(check_elsewhere([](auto& o) { o.BindOrCheck("the lock"); }),
               "the lock was used from a foreign thread");
}

TEST(OwnerThreadDeathTest, ChecksAbortOnAnotherThreadNamingTheObject) {
  OwnerThread owner;

  EXPECT_DEATH(std::thread([&] { owner.Check("the loop"); }).join(),
               "the loop");
}

}  // namespace
}  // namespace ringway
