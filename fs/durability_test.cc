// SPDX-License-Identifier: Apache-2.0
//
// What survives a power failure, as docs/files.md has it: of each promise the
// worst of many crashes.

#include <cerrno>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/copying/copy_file.h"
#include "ringway/fs/directory/directory.h"
#include "ringway/fs/file.h"
#include "ringway/fs/log/testing/simulated_machine.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/fs/whole_file.h"

namespace ringway::fs {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::IsSubsetOf;
using testing::SimulatedMachine;
using testing::ValueOf;

constexpr char kPath[] = "/file";
const std::string kOld(9'000, 'o');
const std::string kNew(12'000, 'n');

Task<void> WriteOld() {
  Task<absl::Status> write = WriteFileAtomically(kPath, kOld);
  EXPECT_TRUE((co_await std::move(write)).ok());
}

// "old", "new", "none", or something else.
Task<void> Look(std::set<std::string>& seen, std::string path = kPath) {
  const absl::StatusOr<std::string> content =
      co_await ReadFile(path, /*limit=*/100'000);
  if (ErrnoOf(content.status()) == ENOENT) {
    seen.insert("none");
  } else if (!content.ok()) {
    seen.insert(content.status().ToString());
  } else {
    seen.insert(*content == kOld ? "old" : *content == kNew ? "new" : "torn");
  }
}

// What is found after crashes that follow `change`, or come during it if that
// takes longer than `limit`.
std::set<std::string> After(
    const std::function<Task<void>()>& change,
    const std::function<absl::Duration(uint64_t)>& limit) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SimulatedMachine machine(seed);
    EXPECT_TRUE(machine.Run(WriteOld()));
    machine.disk().latency_low = absl::Microseconds(1);
    machine.disk().latency_high = absl::Milliseconds(1);
    machine.Run(change(), limit(seed));
    machine.disk() = sim::DiskConditions();
    machine.world().Crash(seed);
    EXPECT_TRUE(machine.Run(Look(seen)));
  }
  return seen;
}

absl::Duration Unlimited(uint64_t) { return absl::InfiniteDuration(); }
absl::Duration AFewOperations(uint64_t seed) {
  return absl::Microseconds(70) * static_cast<int64_t>(seed);
}

Task<void> ReplaceDurably() {
  Task<absl::Status> write = WriteFileAtomically(kPath, kNew);
  EXPECT_TRUE((co_await std::move(write)).ok());
}
Task<void> ReplaceWithoutWaiting() {
  WriteFileOptions options;
  options.durable = false;
  Task<absl::Status> write = WriteFileAtomically(kPath, kNew, options);
  EXPECT_TRUE((co_await std::move(write)).ok());
}

TEST(Durability, AFileThatWasWrittenAtomicallyIsTheNewOne) {
  EXPECT_THAT(After(&ReplaceDurably, &Unlimited), ElementsAre("new"));
}

TEST(Durability, APowerFailureMeanwhileLeavesTheOldOrTheNew) {
  EXPECT_THAT(After(&ReplaceDurably, &AFewOperations),
              ElementsAre("new", "old"));
}

TEST(Durability, OneThatNeedNotBeDurableMayBeTheOldOne) {
  EXPECT_THAT(After(&ReplaceWithoutWaiting, &Unlimited),
              ElementsAre("new", "old"));
}

Task<void> CopyOver(bool durable) {
  {
    File file =
        ValueOf(co_await File::Open("/source", OpenOptions::ForWriting()));
    EXPECT_TRUE((co_await file.WriteAll(Bytes(kNew))).ok());
    EXPECT_TRUE((co_await file.Close()).ok());
  }
  CopyOptions options;
  options.durable = durable;
  Task<absl::Status> copy = CopyFile("/source", kPath, options);
  EXPECT_TRUE((co_await std::move(copy)).ok());
}

TEST(Durability, ACopyThatIsDurableIsTheNewOne) {
  EXPECT_THAT(After([] { return CopyOver(true); }, &Unlimited),
              ElementsAre("new"));
  EXPECT_THAT(After([] { return CopyOver(true); }, &AFewOperations),
              IsSubsetOf({"new", "old"}));
}

// A file's content is durable with SyncData(), its name with the directory.
Task<void> MakeAndSync(bool sync_name) {
  EXPECT_TRUE((co_await RemoveFile(kPath)).ok());
  File file = ValueOf(co_await File::Open("/made", OpenOptions::ForWriting()));
  EXPECT_TRUE((co_await file.WriteAll(Bytes(kNew))).ok());
  EXPECT_TRUE((co_await file.SyncData()).ok());
  EXPECT_TRUE((co_await Rename("/made", kPath)).ok());
  if (!sync_name) co_return;
  Task<absl::StatusOr<Directory>> open = Directory::Open("/");
  Directory root = ValueOf(co_await std::move(open));
  EXPECT_TRUE((co_await root.Sync()).ok());
}

TEST(Durability, ANameIsDurableWithItsDirectory) {
  EXPECT_THAT(After([] { return MakeAndSync(true); }, &Unlimited),
              ElementsAre("new"));
  const std::set<std::string> seen =
      After([] { return MakeAndSync(false); }, &Unlimited);
  EXPECT_THAT(seen, ElementsAre("new", "none", "old"));
}

}  // namespace
}  // namespace ringway::fs
