// SPDX-License-Identifier: Apache-2.0
//
// Reads or writes a file as fast as it goes, with a number of operations in
// flight, and prints operations per second, CPU time and system calls per
// operation. files_compare.py runs it beside fio and a loop of pread().

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/fs/direct/aligned_buffer_pool.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/file.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway::bench {
namespace {

struct Flags {
  std::string file;
  int block = 4096;
  int depth = 32;
  bool direct = false;
  bool write = false;
  bool sequential = false;
  bool registered = false;
  bool lateness = false;
  absl::Duration duration = absl::Seconds(2);
  bool json = false;
  std::string backend = "auto";
  int pin = -1;
};

struct Result {
  uint64_t operations = 0;
  absl::Duration elapsed;
  absl::Duration cpu;
  uint64_t system_calls = 0;
  std::vector<absl::Duration> late;  // timers of a millisecond, sorted
  std::string backend;
};

// What the tasks share.
struct Run {
  uint64_t n_blocks = 0;  // of the file
  uint64_t next = 0;      // block of a sequential run
  uint64_t operations = 0;
  bool over = false;
};

absl::Duration CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

auto WriteOp(fs::File& file, std::span<const std::byte> bytes, int64_t offset) {
  return file.WriteAllAt(bytes, offset);
}
auto WriteOp(fs::DirectFile& file, std::span<const std::byte> bytes,
             int64_t offset) {
  return file.WriteAt(bytes, offset);
}

// One of the operations in flight.
template <typename File>
Task<absl::Status> Work(File& file, Run& run, const Flags& flags,
                        fs::AlignedBuffer buffer, uint64_t random) {
  while (!run.over) {
    random = random * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    const uint64_t block =
        (flags.sequential ? run.next++ : random >> 16) % run.n_blocks;
    const int64_t offset = static_cast<int64_t>(block) * flags.block;
    if (flags.write) {
      absl::Status status = co_await WriteOp(file, buffer.bytes(), offset);
      if (!status.ok()) co_return status;
    } else {
      const absl::StatusOr<size_t> n =
          co_await file.ReadAt(buffer.bytes(), offset);
      if (!n.ok()) co_return n.status();
      if (*n != buffer.size())
        co_return absl::DataLossError(
            absl::StrCat("the file ends in block ", block));
    }
    ++run.operations;
  }
  co_return absl::OkStatus();
}

// How late timers are that run beside the transfers: what a turn takes.
Task<void> MeasureLateness(Run& run, std::vector<absl::Duration>& late) {
  constexpr absl::Duration kTimer = absl::Milliseconds(1);
  while (!run.over) {
    const absl::Time start = absl::Now();
    (co_await Sleep(kTimer)).IgnoreError();
    late.push_back(absl::Now() - start - kTimer);
  }
  std::sort(late.begin(), late.end());
}

Task<void> EndAfter(absl::Duration duration, Run& run) {
  (co_await Sleep(duration)).IgnoreError();
  run.over = true;
}

template <typename File>
Task<absl::StatusOr<Result>> Measure(Executor& executor, File& file,
                                     const Flags& flags) {
  const auto info = co_await file.Stat();
  if (!info.ok()) co_return info.status();
  Run run;
  run.n_blocks = static_cast<uint64_t>(info->size / flags.block);
  if (run.n_blocks == 0)
    co_return absl::InvalidArgumentError("the file has not one block");
  fs::AlignedBufferPoolOptions pool_options;
  pool_options.buffer_bytes = static_cast<size_t>(flags.block);
  pool_options.count = static_cast<size_t>(flags.depth);
  auto pool = fs::AlignedBufferPool::Create(pool_options);
  if (!pool.ok()) co_return pool.status();
  Backend& backend = executor.loop().backend();
  if (flags.registered) {
    absl::Status status = backend.hints().RegisterMemory((*pool)->memory());
    if (!status.ok()) co_return status;
  }
  std::vector<JoinHandle<absl::Status>> all;
  for (int i = 0; i < flags.depth; ++i) {
    all.push_back(Spawn(Work(file, run, flags, *(*pool)->TryAcquire(),
                             static_cast<uint64_t>(i))));
  }
  Result result;
  result.backend = std::string(backend.name());
  result.system_calls = backend.stats().system_calls;
  result.cpu = CpuTime();
  const absl::Time start = absl::Now();
  JoinHandle<void> end = Spawn(EndAfter(flags.duration, run));
  JoinHandle<void> timers;
  if (flags.lateness) timers = Spawn(MeasureLateness(run, result.late));
  absl::Status status;
  for (JoinHandle<absl::Status>& one : all) status.Update(co_await one);
  result.elapsed = absl::Now() - start;
  result.cpu = CpuTime() - result.cpu;
  result.system_calls = backend.stats().system_calls - result.system_calls;
  result.operations = run.operations;
  end.Cancel();
  (co_await end).IgnoreError();
  if (flags.lateness) (co_await timers).IgnoreError();
  if (flags.registered) backend.hints().ForgetMemory((*pool)->memory());
  if (!status.ok()) co_return status;
  co_return result;
}

Task<absl::StatusOr<Result>> OpenAndMeasure(Executor& executor,
                                            const Flags& flags) {
  fs::OpenOptions open;
  open.write = flags.write;
  if (flags.direct) {
    fs::DirectFileOptions options;
    options.open = open;
    options.max_in_flight = static_cast<uint32_t>(flags.depth);
    auto file = co_await fs::DirectFile::Open(flags.file, options);
    if (!file.ok()) co_return file.status();
    Task<absl::StatusOr<Result>> measure = Measure(executor, *file, flags);
    co_return co_await std::move(measure);
  }
  auto file = co_await fs::File::Open(flags.file, open);
  if (!file.ok()) co_return file.status();
  Task<absl::StatusOr<Result>> measure = Measure(executor, *file, flags);
  co_return co_await std::move(measure);
}

void Print(const Flags& flags, const Result& result) {
  const double seconds = absl::ToDoubleSeconds(result.elapsed);
  const auto n = static_cast<double>(std::max<uint64_t>(result.operations, 1));
  const double iops = static_cast<double>(result.operations) / seconds;
  const double cpu = absl::ToDoubleMicroseconds(result.cpu) / n;
  const double calls = static_cast<double>(result.system_calls) / n;
  const std::string text =
      flags.json
          ? absl::StrFormat(
                "{\"iops\": %.1f, \"operations\": %d, \"seconds\": %.3f, "
                "\"cpu_us_per_operation\": %.4f, "
                "\"system_calls_per_operation\": %.4f, \"backend\": \"%s\"}\n",
                iops, result.operations, seconds, cpu, calls, result.backend)
          : absl::StrFormat(
                "%.0f operations/s, %.1f MB/s, %.2f us of CPU and %.3f system "
                "calls per operation (%s)\n",
                iops, iops * flags.block / 1e6, cpu, calls, result.backend);
  fputs(text.c_str(), stdout);
  if (result.late.empty() || flags.json) return;
  absl::PrintF("timers were late by %s (median), %s (longest)\n",
               absl::FormatDuration(result.late[result.late.size() / 2]),
               absl::FormatDuration(result.late.back()));
}

bool PinTo(int cpu) {
  if (cpu < 0) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  CommandLine line("files", "Reads or writes a file as fast as it goes.");
  line.Add("file", "that exists; writes overwrite it", &flags.file);
  line.Add("block", "bytes of an operation", &flags.block, 1, 1 << 30);
  line.Add("depth", "operations in flight", &flags.depth, 1, 32'768);
  line.Add("direct", "past the page cache", &flags.direct);
  line.Add("write", "write instead of reading", &flags.write);
  line.Add("sequential", "block after block, not at random", &flags.sequential);
  line.Add("registered", "register the memory with the kernel",
           &flags.registered);
  line.Add("lateness", "print how late timers are meanwhile", &flags.lateness);
  line.Add("duration", "of the run", &flags.duration);
  line.Add("json", "print one JSON object instead of text", &flags.json);
  line.Add("backend", "auto, uring or epoll", &flags.backend);
  line.Add("pin", "CPU of the program; -1: any", &flags.pin, -1, 4095);
  if (std::optional<int> code = line.Parse(argc, argv)) return *code;
  if (flags.file.empty()) return line.Complain("--file: expected a path");
  ExecutorOptions options;
  absl::StatusOr<BackendKind> kind = ParseBackendKind(flags.backend);
  if (!kind.ok()) return line.Complain(kind.status().message());
  options.loop.backend.kind = *kind;
  if (!PinTo(flags.pin)) return line.Complain("--pin: no such CPU");

  auto executor = Executor::Create(options);
  absl::Status status = executor.status();
  if (executor.ok()) {
    absl::StatusOr<Result> result =
        (*executor)->Run(OpenAndMeasure(**executor, flags));
    status = result.status();
    if (result.ok()) Print(flags, *result);
  }
  if (status.ok()) return 0;
  fprintf(stderr, "files: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace ringway::bench

int main(int argc, char** argv) { return ringway::bench::Main(argc, argv); }
