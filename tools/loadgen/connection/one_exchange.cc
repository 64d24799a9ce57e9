// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/one_exchange.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/connection/loop_now.h"
#include "ringway/tools/loadgen/connection/make_connection.h"

namespace ringway::loadgen {
OneExchange::OneExchange(const Mode& mode, uint32_t index)
    : connection_(MakeConnection(mode, index)) {}

void OneExchange::Source::Begin() {
  taken_ = false;
  answered_ = false;
  failure_ = absl::OkStatus();
}

size_t OneExchange::Source::Take(size_t) {
  if (taken_) return 0;
  taken_ = true;
  return 1;
}

void OneExchange::Source::OnOldestAnswered(size_t) {
  answered_ = true;
  answered_at_ = LoopNow();
}

void OneExchange::Source::OnFailed(uint64_t, const absl::Status& why) {
  answered_ = true;
  failure_ = why;
}

Task<absl::StatusOr<MonotonicTime>> OneExchange::Run(absl::Duration patience) {
  Task<absl::Status> ask = OpenAndAsk(patience);
  absl::Status asked = co_await std::move(ask);
  Task<absl::Status> close = connection_->Close();
  absl::Status closed = co_await std::move(close);
  if (!asked.ok()) co_return asked;
  if (!closed.ok()) co_return closed;
  co_return source_.answered_at();
}

Task<absl::Status> OneExchange::OpenAndAsk(absl::Duration patience) {
  const MonotonicTime deadline = LoopNow() + patience;
  Task<absl::Status> open = connection_->Open(patience);
  absl::Status opened = co_await std::move(open);
  if (!opened.ok()) co_return opened;
  source_.Begin();
  Task<absl::Status> run = connection_->Run(source_);
  absl::Status asked = co_await WithDeadline(deadline, std::move(run));
  if (absl::IsDeadlineExceeded(asked)) {
    co_return absl::DeadlineExceededError(
        absl::StrCat("no reply within ", absl::FormatDuration(patience)));
  }
  if (asked.ok()) asked = source_.failure();
  co_return asked;
}

}  // namespace ringway::loadgen
