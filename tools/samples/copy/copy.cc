// SPDX-License-Identifier: Apache-2.0
//
// copy: copies a file, or a directory with everything below it.
//
//   copy --verify photos /mnt/backup

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/thread_pool.h"
#include "ringway/runtime/signals/signal_stream.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/copy/progress_line.h"
#include "ringway/tools/samples/copy/tree_copy.h"

namespace ringway::copy {
namespace {

constexpr int kNotAllCopied = 1;
constexpr int kInterrupted = 130;  // as shells say it of SIGINT

// Shows how far it is until it is cancelled, and then wipes the line.
Task<void> ShowProgress(const TreeCopy& copy, std::string from) {
  const absl::Time began = absl::Now();
  JoinHandle<int64_t> counting = Spawn(BytesBelow(std::move(from)));
  int64_t total = 0;
  while ((co_await Sleep(absl::Milliseconds(100))).ok()) {
    if (counting.valid() && counting.done())
      total = (co_await counting).value_or(0);
    const std::string line =
        ProgressLine(copy.counts().bytes, total, absl::Now() - began);
    fprintf(stderr, "\r\x1b[K%s", line.c_str());
  }
  fprintf(stderr, "\r\x1b[K");
  if (counting.valid()) counting.Cancel();
}

Task<void> CancelOnSignal(SignalStream signals, CancelSource& source) {
  if ((co_await signals.Next()).ok()) source.Cancel();
}

struct Invocation {
  CopySettings settings;
  std::string from;
  std::string to;
  bool show_progress = false;
};

void Report(bool show_progress, const absl::Status& failed) {
  if (show_progress) fprintf(stderr, "\r\x1b[K");
  fprintf(stderr, "copy: %s\n", std::string(failed.message()).c_str());
}

Task<int> Copy(Invocation invocation) {
  absl::StatusOr<SignalStream> signals = SignalStream::Open({SIGINT, SIGTERM});
  if (!signals.ok()) {
    Report(false, signals.status());
    co_return kNotAllCopied;
  }
  CancelSource stop;
  JoinHandle<void> waiting =
      Spawn(CancelOnSignal(*std::move(signals), stop), "signals");
  TreeCopy copy(invocation.settings, [&](const absl::Status& failed) {
    Report(invocation.show_progress, failed);
  });
  JoinHandle<void> showing;
  if (invocation.show_progress)
    showing = Spawn(ShowProgress(copy, invocation.from), "progress");

  const absl::Time began = absl::Now();
  Task<absl::Status> run = copy.Run(invocation.from, invocation.to);
  const absl::Status ended = co_await WithToken(stop.token(), std::move(run));
  for (JoinHandle<void>* helper : {&showing, &waiting}) {
    if (!helper->valid()) continue;
    helper->Cancel();
    (co_await *helper).IgnoreError();
  }
  if (!ended.ok()) {
    fprintf(stderr, "copy: interrupted\n");
    co_return kInterrupted;
  }
  const CopyCounts& counts = copy.counts();
  if (invocation.show_progress) {
    fprintf(stderr, "%s files, %s, %.1f s%s\n",
            absl::StrFormat("%d", counts.files).c_str(),
            ShortBytes(static_cast<double>(counts.bytes)).c_str(),
            absl::ToDoubleSeconds(absl::Now() - began),
            invocation.settings.verify ? ", verified" : "");
  }
  if (counts.failed == 0) co_return 0;
  fprintf(stderr, "copy: %s could not be copied\n",
          absl::StrFormat("%d", counts.failed).c_str());
  co_return kNotAllCopied;
}

int Main(int argc, char** argv) {
  Invocation invocation;
  CopySettings& settings = invocation.settings;
  std::string progress = "auto";
  CommandLine flags("copy",
                    "copies a file, or a directory with all that is below it, "
                    "with permissions, times and holes");
  flags.AddArgument("FROM", "a file or a directory", &invocation.from);
  flags.AddArgument("TO", "its copy; if that is a directory, a name in it",
                    &invocation.to);
  flags.Add("direct", "past the page cache (O_DIRECT)", &settings.direct);
  flags.Add("verify", "compare the checksums of both afterwards",
            &settings.verify);
  flags.Add("sync", "end when the copy survives a crash of the machine",
            &settings.durable);
  flags.Add("jobs", "tasks that copy, some files each", &settings.n_at_a_time,
            1, 1024);
  flags.Add("progress", "a line that says how far it is: always, never or auto",
            &progress);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  if (progress != "always" && progress != "never" && progress != "auto")
    return flags.Complain("--progress is neither always, never nor auto");
  invocation.show_progress = progress == "always" ||
                             (progress == "auto" && isatty(STDERR_FILENO) == 1);

  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
  if (!executor.ok()) {
    Report(false, executor.status());
    return kNotAllCopied;
  }
  // For small files, each of which takes a thread for some microseconds.
  ThreadPoolOptions pool_options;
  pool_options.name = "copy";
  pool_options.max_threads = std::max(1u, std::thread::hardware_concurrency());
  absl::StatusOr<std::unique_ptr<ThreadPool>> pool =
      ThreadPool::Create(pool_options);
  if (!pool.ok()) {
    Report(false, pool.status());
    return kNotAllCopied;
  }
  SetBlockingPool(**executor, (*pool)->jobs());
  const absl::StatusOr<int> code = (*executor)->Run(Copy(invocation));
  if (code.ok()) return *code;
  Report(false, code.status());
  return kNotAllCopied;
}

}  // namespace
}  // namespace ringway::copy

int main(int argc, char** argv) { return ringway::copy::Main(argc, argv); }
