// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/pool_room.h"

#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

using enum PoolRoom::Admission;

// A pool with one thread, which has begun and has the first job.
void AddFirst(PoolRoom& room) {
  ASSERT_EQ(room.Admit(), kNeedsThread);
  room.ThreadStarted();
  ASSERT_FALSE(room.NextThread());
}

TEST(PoolRoom, ACallerStartsOneThreadAndThatStartsTheNext) {
  PoolRoom room(3, 10);
  EXPECT_EQ(room.Admit(), kNeedsThread);
  room.ThreadStarted();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(room.Admit(), kAdmitted) << i;
  EXPECT_EQ(room.counts().threads, 1);
  EXPECT_TRUE(room.NextThread());
  room.ThreadStarted();
  EXPECT_TRUE(room.NextThread());
  room.ThreadStarted();
  EXPECT_FALSE(room.NextThread()) << "three are the most";
  EXPECT_EQ(room.counts().threads, 3);
  EXPECT_EQ(room.counts().jobs, 5u);
}

TEST(PoolRoom, AnIdleThreadIsUsedBeforeOneIsStarted) {
  PoolRoom room(3, 10);
  AddFirst(room);
  room.RemoveJobs();
  EXPECT_EQ(room.Admit(), kAdmitted);
  EXPECT_EQ(room.Admit(), kNeedsThread);
}

TEST(PoolRoom, IsFullWhenEveryThreadAndPlaceIsTaken) {
  for (const uint32_t max_queued : {0u, 2u}) {
    PoolRoom room(2, max_queued);
    for (uint32_t i = 0; i < 2 + max_queued; ++i)
      EXPECT_LE(kAdmitted, room.Admit());
    EXPECT_EQ(room.Admit(), kFull);
    room.RemoveJobs();
    EXPECT_LE(kAdmitted, room.Admit());
  }
}

TEST(PoolRoom, AThreadEndsOnlyIfNoJobReliesOnIt) {
  PoolRoom room(2, 10);
  AddFirst(room);
  EXPECT_FALSE(room.IdleThreadEnds()) << "it has the job";
  room.RemoveJobs();
  EXPECT_TRUE(room.IdleThreadEnds());
  EXPECT_EQ(room.counts().threads, 0);
  EXPECT_EQ(room.Admit(), kNeedsThread);
}

// Each job of a pool without a thread brings its own, so none is left alone if
// one cannot be started.
TEST(PoolRoom, AJobWithoutAnyThreadIsNotAdmitted) {
  PoolRoom room(8, 10);
  EXPECT_EQ(room.Admit(), kNeedsThread);
  EXPECT_EQ(room.Admit(), kNeedsThread) << "the first might not be started";
  EXPECT_FALSE(room.AdmitsWithoutThread());
  room.ThreadStarted();
  EXPECT_EQ(room.counts().jobs, 1u);
  EXPECT_EQ(room.counts().threads, 1);
}

TEST(PoolRoom, WithoutANewThreadJobsWaitForThoseThereAre) {
  PoolRoom room(8, 1);
  AddFirst(room);
  EXPECT_EQ(room.Admit(), kNeedsThread);
  EXPECT_TRUE(room.AdmitsWithoutThread()) << "one may wait";
  EXPECT_EQ(room.Admit(), kNeedsThread) << "it is tried again";
  EXPECT_FALSE(room.AdmitsWithoutThread());
  EXPECT_EQ(room.counts().jobs, 2u);
}

TEST(PoolRoom, AnIdleThreadStaysWhileAnotherMightNotBeStarted) {
  PoolRoom room(2, 10);
  AddFirst(room);
  EXPECT_EQ(room.Admit(), kNeedsThread);
  room.RemoveJobs();
  EXPECT_FALSE(room.IdleThreadEnds());
  room.NoThreadStarted();
  EXPECT_FALSE(room.IdleThreadEnds()) << "a job is there";
}

TEST(PoolRoom, AdmitsNothingOnceItHasEnded) {
  PoolRoom room(4, 10);
  AddFirst(room);
  EXPECT_EQ(room.Admit(), kNeedsThread);
  EXPECT_EQ(room.Admit(), kAdmitted);
  EXPECT_EQ(room.End(), 2u) << "of which one is being started";
  EXPECT_EQ(room.Admit(), kEnded);
  EXPECT_FALSE(room.NextThread());
  room.ThreadEnds();
  room.NoThreadStarted();
  EXPECT_EQ(room.counts().threads, 0);
}

}  // namespace
}  // namespace ringway::internal
