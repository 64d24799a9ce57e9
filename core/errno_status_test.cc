// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/errno_status.h"

#include <cerrno>
#include <string>

#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

struct ErrnoCase {
  int errnum;
  absl::StatusCode code;
};

constexpr ErrnoCase kCases[] = {
    {EACCES, absl::StatusCode::kPermissionDenied},
    {EADDRINUSE, absl::StatusCode::kFailedPrecondition},
    {EAGAIN, absl::StatusCode::kUnavailable},
    {EBADF, absl::StatusCode::kFailedPrecondition},
    {ECONNREFUSED, absl::StatusCode::kUnavailable},
    {ECONNRESET, absl::StatusCode::kUnavailable},
    {EEXIST, absl::StatusCode::kAlreadyExists},
    {EINVAL, absl::StatusCode::kInvalidArgument},
    {EIO, absl::StatusCode::kUnknown},
    {EMFILE, absl::StatusCode::kResourceExhausted},
    {ENAMETOOLONG, absl::StatusCode::kInvalidArgument},
    {ENOENT, absl::StatusCode::kNotFound},
    {ENOSPC, absl::StatusCode::kResourceExhausted},
    {ENOSYS, absl::StatusCode::kUnimplemented},
    {EPERM, absl::StatusCode::kPermissionDenied},
    {EPIPE, absl::StatusCode::kUnavailable},
    {ETIMEDOUT, absl::StatusCode::kDeadlineExceeded},
    {123456, absl::StatusCode::kUnknown},
};

TEST(ErrnoStatus, MapsEachErrnoToItsCodeAndBack) {
  for (const ErrnoCase& c : kCases) {
    const absl::Status status = ErrnoToStatus(c.errnum, "connect to nowhere");
    EXPECT_EQ(status.code(), c.code) << status;
    EXPECT_EQ(ErrnoOf(status), c.errnum) << status;
  }
}

TEST(ErrnoStatus, NamesTheOperationAndTheError) {
  EXPECT_EQ(ErrnoToStatus(ENOENT, "open /missing").message(),
            "open /missing: No such file or directory");
}

TEST(ErrnoStatus, ZeroIsOk) {
  EXPECT_TRUE(ErrnoToStatus(0, "anything").ok());
  EXPECT_EQ(ErrnoOf(absl::OkStatus()), 0);
}

TEST(ErrnoStatus, TellsResetFromBrokenPipe) {
  EXPECT_NE(ErrnoOf(ErrnoToStatus(ECONNRESET, "read")),
            ErrnoOf(ErrnoToStatus(EPIPE, "read")));
}

// A status with text or payload is on the heap; these are created per
// operation.
TEST(ErrnoStatus, CancelledAndTimedOutCarryNoTextAndNoPayload) {
  for (const int errnum : {ECANCELED, ETIME}) {
    const absl::Status status = ErrnoToStatus(errnum, "read");
    EXPECT_EQ(status.message(), "");
    bool has_payload = false;
    status.ForEachPayload(
        [&](absl::string_view, const absl::Cord&) { has_payload = true; });
    EXPECT_FALSE(has_payload);
    EXPECT_EQ(ErrnoOf(status), errnum);
  }
  EXPECT_EQ(ErrnoToStatus(ECANCELED, ""),
            absl::Status(absl::StatusCode::kCancelled, ""));
  EXPECT_EQ(ErrnoToStatus(ETIME, ""),
            absl::Status(absl::StatusCode::kDeadlineExceeded, ""));
}

TEST(ErrnoStatus, StatusMadeOfNoErrnoHasNone) {
  EXPECT_EQ(ErrnoOf(absl::NotFoundError("no such user")), 0);
  EXPECT_EQ(ErrnoOf(absl::CancelledError("by the operator")), 0);
  EXPECT_EQ(ErrnoOf(absl::DeadlineExceededError("of the job")), 0);
}

TEST(ErrnoStatus, SurvivesCopies) {
  absl::Status status;
  {
    const absl::Status original = ErrnoToStatus(EIO, "read");
    status = original;
  }
  EXPECT_EQ(ErrnoOf(status), EIO);
}

}  // namespace
}  // namespace ringway
