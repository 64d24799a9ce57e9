// SPDX-License-Identifier: Apache-2.0
//
// NetTest: an executor for each test, a limit on how long anything may take,
// and the assertion that every fd is closed at the end.

#ifndef RINGWAY_NET_TESTING_NET_FIXTURE_H_
#define RINGWAY_NET_TESTING_NET_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/tcp.h"

namespace ringway::net::testing {

// The value, or the end of the test program with the reason: for scaffolding.
template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  RINGWAY_CHECK(result.ok(), "%s", result.status().ToString().c_str());
  return *std::move(result);
}

inline std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string AsString(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// `n_bytes` that no shifted or repeated copy of themselves equals.
std::vector<std::byte> Pattern(size_t n_bytes, uint32_t seed);

// A directory for Unix sockets, short enough for their paths; removed at the
// end with what is in it.
class ShortDirectory {
 public:
  ShortDirectory();
  ~ShortDirectory();
  std::string PathOf(std::string_view name) const;

 private:
  std::string path_;
};

// Blocking sockets: the far ends, outside of the executor.
struct Connected {
  UniqueFd near_end;
  UniqueFd far_end;
};
Connected ConnectedTcp();
// Sends and receives less at once than a test's payload.
void SetBuffer(int fd, int option, int n_bytes);
// Until end of stream or an error, which `errnum` receives.
std::string ReceiveAll(int fd, int* errnum = nullptr);
// Makes close(2) of `fd` a reset.
void ResetOnClose(int fd);
// Sends as much as fits without waiting. Returns how much that was.
size_t FillSendBuffer(int fd);

// One Write(), Read() or Receive(), as a task.
Task<absl::Status> WriteAll(TcpStream& stream,
                            std::span<const std::byte> bytes);
Task<absl::StatusOr<size_t>> ReadSome(TcpStream& stream,
                                      std::span<std::byte> buffer);
Task<absl::StatusOr<std::string>> ReceiveSome(TcpStream& stream);
// Reads from `stream` until `n_bytes` or the end.
Task<std::string> ReadExactly(TcpStream& stream, size_t n_bytes);
// Everything up to the end of stream, by Read() or by Receive().
Task<absl::StatusOr<std::string>> ReadToEnd(TcpStream& stream);
Task<absl::StatusOr<std::string>> ReceiveToEnd(TcpStream& stream);
Task<absl::StatusOr<std::string>> AllOf(TcpStream& stream, bool by_receive);
// Sends back what comes, by Read(), until the end.
Task<absl::Status> Echo(TcpStream stream);

// Turns the loop `n` times: other tasks run, and the kernel is asked what is
// new. (A Yield() would come back within the same turn.)
Task<void> TurnTimes(int n);
// Turns the loop until `condition` holds.
template <typename Condition>
Task<void> TurnUntil(Condition condition) {
  while (!condition()) co_await TurnTimes(1);
}

class NetTest : public ::testing::Test {
 protected:
  // Far beyond what any test takes on a loaded machine.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  explicit NetTest(const ExecutorOptions& options = ExecutorOptions());
  ~NetTest() override;
  void SetUp() override;
  void TearDown() override;

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }

  // Runs `main` to its end, which must come in time.
  void Run(Task<void> main);
  // As at the end of a program that leaves everything as it is.
  void DestroyExecutor() { executor_.reset(); }

  TcpStream Adopt(UniqueFd fd) {
    return TcpStream::Adopt(loop(), std::move(fd));
  }
  TcpListener ListenOn(std::string_view address,
                       const ListenOptions& options = ListenOptions());

 private:
  const ExecutorOptions options_;
  const size_t fds_before_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_NET_FIXTURE_H_
