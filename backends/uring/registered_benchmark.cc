// SPDX-License-Identifier: Apache-2.0
//
// Measures the gain of registering files and memory: cached reads of 4 KiB,
// one at a time and 32 at a time, without and with each.
//
//   bazel run --config=opt //backends/uring:registered_benchmark

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/memory/aligned_buffer.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

constexpr size_t kReadBytes = 4'096;
constexpr int64_t kFileReads = 256;
constexpr uint32_t kSlots = 1'024;

BackendOptions WithSlots() {
  BackendOptions options;
  options.kind = BackendKind::kUring;
  options.uring.registered_files = kSlots;
  return options;
}

UniqueFd MakeFile() {
  UniqueFd fd(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  const std::string content(kReadBytes * kFileReads, 'x');
  RINGWAY_CHECK(write(fd.get(), content.data(), content.size()) ==
                    static_cast<ssize_t>(content.size()),
                "no file in /tmp to read from");
  return fd;
}

// Keeps `depth` reads of a file in flight.
class Reads {
 public:
  Reads(std::unique_ptr<Backend> backend, size_t depth)
      : memory_(*AlignedBuffer::Create(depth * kReadBytes, kReadBytes)),
        backend_(std::move(backend)) {
    for (size_t i = 0; i < depth; ++i) {
      reads_.emplace_back(*this,
                          memory_.span().subspan(i * kReadBytes, kReadBytes));
    }
  }

  ~Reads() {
    while (Operation* op = pending_.front()) backend_->Cancel(*op, done_);
    backend_->Quiesce(done_);
    while (done_.PopFront() != nullptr) continue;
  }

  void RegisterFd() { Must(backend_->hints().RegisterFd(file_.get())); }
  void RegisterMemory() {
    Must(backend_->hints().RegisterMemory(memory_.span()));
  }

  void Begin() {
    for (Read& read : reads_) Start(read);
  }

  // Waits for a read, and starts another in its place.
  void Next() {
    while (done_.empty()) {
      backend_->Submit(pending_, done_);
      backend_->Wait(MonotonicTime::Infinite(), done_);
    }
    done_.PopFront()->Run();
  }

 private:
  struct Read : Operation {
    Read(Reads& r, std::span<std::byte> b)
        : Operation(&OnDone), reads(r), buffer(b) {}
    static void OnDone(Runnable& entry) {
      Read& self = static_cast<Read&>(entry);
      RINGWAY_CHECK(self.result == kReadBytes, "a read gave %d", self.result);
      self.reads.Start(self);
    }
    Reads& reads;
    const std::span<std::byte> buffer;
  };

  static void Must(const absl::Status& status) {
    RINGWAY_CHECK(status.ok(), "%s", status.ToString().c_str());
  }

  void Start(Read& read) {
    const int64_t offset = next_++ % kFileReads * int64_t{kReadBytes};
    PrepareRead(read, file_.get(), read.buffer, offset);
    read.state = OpState::kQueued;
    pending_.PushBack(read);
  }

  const UniqueFd file_ = MakeFile();
  AlignedBuffer memory_;
  OperationList pending_;
  RunnableList done_;
  std::deque<Read> reads_;
  const std::unique_ptr<Backend> backend_;
  int64_t next_ = 0;
};

void BM_Read4KiB(benchmark::State& state) {
  absl::StatusOr<std::unique_ptr<Backend>> backend = MakeBackend(WithSlots());
  if (!backend.ok()) {
    state.SkipWithError(backend.status().ToString().c_str());
    return;
  }
  Reads reads(*std::move(backend), static_cast<size_t>(state.range(0)));
  if (state.range(1) != 0) reads.RegisterFd();
  if (state.range(2) != 0) reads.RegisterMemory();
  reads.Begin();
  for (auto _ : state) reads.Next();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Read4KiB)
    ->ArgNames({"depth", "file", "memory"})
    ->ArgsProduct({{1, 32}, {0, 1}, {0, 1}});

}  // namespace
}  // namespace ringway
