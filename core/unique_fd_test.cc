// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "gtest/gtest.h"

namespace ringway {
namespace {

int OpenAny() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFd, OwnsNothingByDefault) {
  UniqueFd fd;

  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, ClosesWhatItOwnsWhenDestroyed) {
  const int raw = OpenAny();
  {
    UniqueFd fd(raw);
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(IsOpen(raw));
  }
  EXPECT_FALSE(IsOpen(raw));
}

TEST(UniqueFd, OwnsDescriptorZeroLikeAnyOther) {
  UniqueFd saved_stdin(fcntl(0, F_DUPFD_CLOEXEC, 3));
  close(0);
  UniqueFd zero(OpenAny());

  EXPECT_EQ(zero.get(), 0);
  EXPECT_TRUE(zero.valid());

  zero.Reset();
  EXPECT_FALSE(IsOpen(0));
  if (saved_stdin.valid()) dup2(saved_stdin.get(), 0);
}

TEST(UniqueFd, MovingPassesTheDescriptorOn) {
  const int raw = OpenAny();
  UniqueFd source(raw);

  UniqueFd target = std::move(source);

  EXPECT_FALSE(source.valid());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(target.get(), raw);
  EXPECT_TRUE(IsOpen(raw));
}

TEST(UniqueFd, MoveAssignmentClosesWhatTheTargetOwned) {
  const int first = OpenAny();
  const int second = OpenAny();
  UniqueFd target(first);
  UniqueFd source(second);

  target = std::move(source);

  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(target.get(), second);
}

TEST(UniqueFd, MoveAssignmentToItselfKeepsTheDescriptor) {
  UniqueFd fd(OpenAny());
  UniqueFd& same = fd;

  fd = std::move(same);

  EXPECT_TRUE(IsOpen(fd.get()));
}

TEST(UniqueFd, ReleaseLeavesTheDescriptorOpen) {
  UniqueFd fd(OpenAny());

  const int raw = fd.Release();

  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(raw));
  close(raw);
}

TEST(UniqueFd, ResetLeavesErrnoAlone) {
  UniqueFd fd(OpenAny());
  errno = ENOENT;

  fd.Reset();

  EXPECT_EQ(errno, ENOENT);
}

TEST(UniqueFdDeathTest, AbortsWhenSomebodyElseClosedItsDescriptor) {
  auto close_twice = [] {
    UniqueFd fd(OpenAny());
    close(fd.get());
  };
  EXPECT_DEATH(close_twice(), "closed by other code than its owner");
}

}  // namespace
}  // namespace ringway
