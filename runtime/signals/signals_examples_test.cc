// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/runtime.md and of signal_stream.h.

#include <signal.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/runtime/signals/signal_stream.h"

namespace ringway {

struct Configuration {
  int loads = 0;
  Event loaded;
};

Task<absl::Status> Load(Configuration* configuration) {
  ++configuration->loads;
  configuration->loaded.Set();
  co_return absl::OkStatus();
}

// --- docs/runtime.md

Task<absl::Status> ReloadOnHangup(Configuration* configuration) {
  absl::StatusOr<SignalStream> hangups = SignalStream::Open({SIGHUP});
  if (!hangups.ok()) co_return hangups.status();
  while (true) {
    absl::StatusOr<Signal> hangup = co_await hangups->Next();
    if (!hangup.ok()) co_return hangup.status();
    absl::Status loaded = co_await Load(configuration);
    if (!loaded.ok()) co_return loaded;
  }
}

// True if the user insists: a second signal within `patience`.
Task<bool> IsAskedTwice(SignalStream& signals, absl::Duration patience) {
  absl::StatusOr<Signal> first = co_await signals.Next();
  if (!first.ok()) co_return false;
  absl::StatusOr<Signal> second =
      co_await WithTimeout(patience, signals.Next());
  co_return second.ok() || first->merged > 0;
}

// --- signal_stream.h

int reloads = 0;
Task<void> Reload() {
  ++reloads;
  co_return;
}

Task<absl::Status> ReloadOrStop() {
  absl::StatusOr<SignalStream> signals = SignalStream::Open({SIGHUP, SIGUSR1});
  if (!signals.ok()) co_return signals.status();
  while (true) {
    absl::StatusOr<Signal> signal = co_await signals->Next();
    if (!signal.ok()) co_return signal.status();
    if (signal->number == SIGHUP) co_await Reload();
    if (signal->number == SIGUSR1) co_return absl::OkStatus();
  }
}

namespace {

class SignalsExamples : public TaskTest {};

RINGWAY_KERNEL_TEST_F(SignalsExamples, ReloadForEachHangup) {
  Configuration configuration;
  JoinHandle<absl::Status> reloading = Spawn(ReloadOnHangup(&configuration));
  co_await Yield();
  for (int i = 1; i <= 3; ++i) {
    raise(SIGHUP);
    RINGWAY_ASSERT_OK(co_await configuration.loaded.Wait());
    configuration.loaded.Reset();
    EXPECT_EQ(configuration.loads, i);
  }
  reloading.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await reloading));
}

RINGWAY_KERNEL_TEST_F(SignalsExamples, TellOneSignalFromTwo) {
  SignalStream signals = *SignalStream::Open({SIGINT});
  raise(SIGINT);
  EXPECT_FALSE(co_await IsAskedTwice(signals, absl::Milliseconds(1)));
  raise(SIGINT);
  raise(SIGINT);
  EXPECT_TRUE(co_await IsAskedTwice(signals, absl::Milliseconds(1)));
}

RINGWAY_KERNEL_TEST_F(SignalsExamples, StopAtTheSecondNumber) {
  JoinHandle<absl::Status> running = Spawn(ReloadOrStop());
  co_await Yield();
  raise(SIGHUP);
  raise(SIGUSR1);
  RINGWAY_EXPECT_OK(co_await running);
  EXPECT_EQ(reloads, 1);
}

TEST(SignalsDocuments, QuoteThisFile) {
  constexpr char kThisFile[] = "runtime/signals/signals_examples_test.cc";
  testing::ExpectQuotes(
      "docs/runtime.md",
      std::vector<std::string>{kThisFile, "runtime/runtime_examples_test.cc"},
      9);
  testing::ExpectHeaderQuotes("runtime/signals/signal_stream.h", kThisFile);
}

}  // namespace
}  // namespace ringway
