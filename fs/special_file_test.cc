// SPDX-License-Identifier: Apache-2.0
//
// What opens or is read in a way of its own: the flags of an open, what is no
// regular file, and pipes that take and give little at a time.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::Bytes;
using testing::FsTest;
using testing::Pattern;
using testing::ValueOf;

class SpecialFileTest : public FsTest {
 protected:
  File Take(ringway::testing::TestFd fd) {
    return File::Adopt(loop(), UniqueFd(fd.Release()));
  }
};

// --- The flags of an open

struct OpenCase {
  OpenCase(const char* w, std::function<void(OpenOptions&)> s, int of_none,
           int of_existing, const char* left)
      : what(w),
        set(std::move(s)),
        none(of_none),
        existing(of_existing),
        content(left) {}

  const char* what;
  std::function<void(OpenOptions&)> set;
  int none;             // the errno where there is no file, or 0
  int existing;         // the errno for a file with "content"
  const char* content;  // of the existing file afterwards
};

std::vector<OpenCase> OpenCases() {
  const auto writes = [](OpenOptions& o) { o.write = true; };
  const auto truncates = [](OpenOptions& o) { o.write = o.truncate = true; };
  const auto creates = [](OpenOptions& o) { o.create = true; };
  const auto is_new = [](OpenOptions& o) { o.write = o.create_new = true; };
  const auto new_too = [](OpenOptions& o) {
    o.write = o.create = o.create_new = o.truncate = true;
  };
  std::vector<OpenCase> cases;
  cases.emplace_back(
      "read", [](OpenOptions&) {}, ENOENT, 0, "content");
  cases.emplace_back("write", writes, ENOENT, 0, "content");
  cases.emplace_back("truncate", truncates, ENOENT, 0, "");
  cases.emplace_back("create", creates, 0, 0, "content");
  cases.emplace_back("create_new", is_new, 0, EEXIST, "content");
  cases.emplace_back("create_new, truncate", new_too, 0, EEXIST, "content");
  return cases;
}

TEST_P(SpecialFileTest, EachFlagOfAnOpenDoesWhatItSays) {
  auto main = [&]() -> Task<void> {
    for (const OpenCase& one : OpenCases()) {
      SCOPED_TRACE(one.what);
      OpenOptions options;
      one.set(options);
      const std::string path = co_await Make("existing", "content");
      absl::StatusOr<File> file = co_await File::Open(path, options);
      EXPECT_EQ(file.ok() ? 0 : ErrnoOf(file.status()), one.existing);
      EXPECT_EQ(co_await ContentOf(path), one.content);
      const std::string none = PathOf(std::string("none ") + one.what);
      file = co_await File::Open(none, options);
      EXPECT_EQ(file.ok() ? 0 : ErrnoOf(file.status()), one.none);
      const absl::Status found = (co_await File::Open(none)).status();
      EXPECT_EQ(found.ok() ? 0 : ErrnoOf(found), one.none);
    }
  };
  Run(main());
}

TEST_P(SpecialFileTest, WithoutFdsAnOpenIsAnErrorAndLaterOnesAreNot) {
  RINGWAY_REQUIRES_KERNEL("RLIMIT_NOFILE");
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "content");
    rlimit limit = {};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlimit none_left = limit;
    {
      const UniqueFd lowest(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      none_left.rlim_cur = static_cast<rlim_t>(lowest.get());
    }
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    const absl::Status refused = (co_await File::Open(path)).status();
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(ErrnoOf(refused), EMFILE) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), path)) << refused;
    EXPECT_EQ(co_await ContentOf(path), "content");
  };
  Run(main());
}

TEST_P(SpecialFileTest, AFileIsOpenedForWhatIsAskedOnly) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "content");
    std::array<std::byte, 4> buffer = {};
    for (const bool read : {true, false}) {
      for (const bool write : {true, false}) {
        SCOPED_TRACE(read ? (write ? "both" : "read") : "write");
        OpenOptions options;
        options.read = read;
        options.write = write || !read;
        File file = ValueOf(co_await File::Open(path, options));
        EXPECT_EQ((co_await file.ReadAt(buffer, 0)).ok(), options.read);
        EXPECT_EQ((co_await file.WriteAt(buffer, 0)).ok(), options.write);
      }
    }
  };
  Run(main());
}

TEST_P(SpecialFileTest, AFifoIsOpenedWithoutAWriterOnDemand) {
  RINGWAY_REQUIRES_KERNEL("FIFOs");
  auto main = [&]() -> Task<void> {
    const std::string path = PathOf("fifo");
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    OpenOptions options;
    options.non_blocking = true;
    File fifo = ValueOf(co_await File::Open(path, options));
    EXPECT_EQ(ValueOf(co_await fifo.Stat()).type, FileType::kFifo);
  };
  Run(main());
}

TEST_P(SpecialFileTest, AnAppendersPositionIsTheEnd) {
  auto main = [&]() -> Task<void> {
    const std::string path = co_await Make("file", "12345");
    OpenOptions append = OpenOptions::ForAppending();
    append.read = true;
    File file = ValueOf(co_await File::Open(path, append));
    std::array<std::byte, 2> buffer;
    EXPECT_TRUE((co_await file.ReadExactly(buffer)).ok());
    EXPECT_TRUE((co_await file.WriteAll(Bytes("67"))).ok());
    EXPECT_EQ(ValueOf(co_await file.Read(buffer)), 0u);
    EXPECT_EQ(co_await ContentOf(path), "1234567");
  };
  Run(main());
}

// --- What is no regular file

TEST_P(SpecialFileTest, StatTellsWhatAnFdIs) {
  auto main = [&]() -> Task<void> {
    ringway::testing::TestFdPair pipe = system().Pipe();
    ringway::testing::TestFdPair sockets = system().SocketPair();
    File reader = Take(std::move(pipe.first));
    EXPECT_TRUE(absl::StrContains(reader.path(), "fd ")) << reader.path();
    EXPECT_EQ(ValueOf(co_await reader.Stat()).type, FileType::kFifo);
    File socket = Take(std::move(sockets.first));
    EXPECT_EQ(ValueOf(co_await socket.Stat()).type, FileType::kSocket);
    if (!system().is_kernel()) co_return;
    File null = ValueOf(co_await File::Open("/dev/null"));
    EXPECT_EQ(ValueOf(co_await null.Stat()).type, FileType::kCharacterDevice);
    // Whatever the standard fds of this process are, fstat(2) agrees.
    for (const int fd : {0, 1, 2}) {
      struct stat expected = {};
      if (fstat(fd, &expected) != 0) continue;  // it was started without
      File file = File::Adopt(loop(), UniqueFd(dup(fd)));
      const FileInfo info = ValueOf(co_await file.Stat());
      EXPECT_EQ(info.inode, expected.st_ino) << fd;
      EXPECT_EQ(info.type == FileType::kFifo, S_ISFIFO(expected.st_mode)) << fd;
      EXPECT_EQ(info.is_regular(), S_ISREG(expected.st_mode)) << fd;
    }
  };
  Run(main());
}

// --- Pipes

// A pipe whose two ends are of one executor.
TEST_P(SpecialFileTest, APipeGivesAllThatItTakes) {
  auto write = [](File& to, const std::vector<std::byte>& bytes) -> Task<void> {
    EXPECT_TRUE((co_await to.WriteAll(bytes)).ok());
    EXPECT_TRUE((co_await to.Close()).ok());
  };
  auto main = [&]() -> Task<void> {
    ringway::testing::TestFdPair pipe = system().Pipe();
    File reader = Take(std::move(pipe.first));
    File writer = Take(std::move(pipe.second));
    const std::vector<std::byte> bytes = Pattern(300'001, 3);
    JoinHandle<void> writing = Spawn(write(writer, bytes));
    std::vector<std::byte> read(bytes.size());
    EXPECT_TRUE((co_await reader.ReadExactly(read)).ok());
    EXPECT_EQ(read, bytes);
    EXPECT_EQ(ValueOf(co_await reader.Read(read)), 0u);
    (co_await writing).IgnoreError();
  };
  Run(main());
}

// Interrupts the thread that made it by a signal every 100 us, without
// SA_RESTART, until it is gone.
class Interruptions {
 public:
  Interruptions() : target_(pthread_self()) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, &old_);
    thread_ = std::thread([this] {
      while (!stops_) {
        pthread_kill(target_, SIGUSR1);
        const timespec pause = {0, 100'000};
        nanosleep(&pause, nullptr);
      }
    });
  }
  ~Interruptions() {
    stops_ = true;
    thread_.join();
    sigaction(SIGUSR1, &old_, nullptr);
  }

 private:
  const pthread_t target_;
  std::atomic<bool> stops_ = false;
  struct sigaction old_ = {};
  std::thread thread_;
};

constexpr size_t kAtOnce = 1'000;  // what the other side takes or gives

TEST_P(SpecialFileTest, SignalsLoseNoByteOfAReadInParts) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const std::vector<std::byte> bytes = Pattern(200'000, 1);
  std::array<int, 2> ends;
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  File reader = File::Adopt(loop(), UniqueFd(ends[0]));
  const Interruptions interruptions;
  std::thread peer([&] {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t n = write(ends[1], &bytes[at], kAtOnce);
      if (n > 0) at += static_cast<size_t>(n);
    }
    close(ends[1]);
  });
  auto main = [&]() -> Task<void> {
    std::vector<std::byte> read(bytes.size());
    EXPECT_TRUE((co_await reader.ReadExactly(read)).ok());
    EXPECT_EQ(read, bytes);
    EXPECT_TRUE((co_await reader.Close()).ok());
  };
  Run(main());
  peer.join();
}

TEST_P(SpecialFileTest, SignalsLoseNoByteOfAWriteInParts) {
  RINGWAY_REQUIRES_KERNEL("signals");
  const std::vector<std::byte> bytes = Pattern(500'000, 2);
  std::array<int, 2> ends;
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  File writer = File::Adopt(loop(), UniqueFd(ends[1]));
  const Interruptions interruptions;
  std::vector<std::byte> got;
  std::thread peer([&] {
    std::array<std::byte, kAtOnce> part;
    while (true) {
      const ssize_t n = read(ends[0], part.data(), part.size());
      if (n <= 0) break;
      got.insert(got.end(), part.begin(), part.begin() + n);
    }
    close(ends[0]);
  });
  auto main = [&]() -> Task<void> {
    EXPECT_TRUE((co_await writer.WriteAll(bytes)).ok());
    EXPECT_TRUE((co_await writer.Close()).ok());
  };
  Run(main());
  peer.join();
  EXPECT_EQ(got, bytes);
}

// --- The end

class SpecialFileEndTest : public testing::FsEndTest {};

// A read waits in the kernel for bytes, in memory of its task. When the end of
// the executor has freed that, nothing is read any more, and nothing lost.
TEST_P(SpecialFileEndTest, NothingIsReadIntoMemoryOfATaskThatIsGone) {
  if (!system().is_kernel()) GTEST_SKIP() << "an fd has no duplicate there";
  ringway::testing::TestFdPair pipe = system().Pipe();
  const UniqueFd read_end(pipe.first.Release());
  auto read = [](File file) -> Task<void> {
    std::array<std::byte, 64> buffer;
    (co_await file.Read(buffer)).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    const int again = dup(read_end.get());
    EXPECT_GE(again, 0);
    Spawn(read(File::Adopt(loop(), UniqueFd(again)))).Detach();
    co_await net::testing::TurnTimes(5);
  };
  Run(main());
  DestroyExecutor();
  EXPECT_EQ(system().Send(pipe.second.get(), "kept"), 4);
  std::array<char, 8> buffer;
  EXPECT_EQ(::read(read_end.get(), buffer.data(), buffer.size()), 4);
  EXPECT_EQ(std::string(buffer.data(), 4), "kept");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SpecialFileTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SpecialFileEndTest);

}  // namespace
}  // namespace ringway::fs
