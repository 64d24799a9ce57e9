// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/signal_stream.h"

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/wake_message.h"
#include "ringway/runtime/signals/handled_signal.h"
#include "ringway/runtime/signals/signal_dispatcher.h"
#include "ringway/runtime/signals/signal_set.h"

namespace ringway {
namespace {

constexpr char kStreamName[] = "a SignalStream";

}  // namespace

namespace internal {

// What a stream has while it is open, at one place. What has come is the
// difference of two counters, of which the handler increments one; messages
// only make a waiting task look.
class SignalSubscription final : public LoopDependent {
 public:
  SignalSubscription(SignalSet numbers, Executor& executor)
      : LoopDependent(executor.loop()),
        numbers_(numbers),
        message_(std::make_shared<Message>(executor, *this)) {
    numbers.ForEach([this](int number) {
      const Counted& counted = counted_.emplace_back(number);
      (counted.handled.ignored() ? ignored_ : handled_).Add(number);
    });
  }
  ~SignalSubscription() override {
    RINGWAY_CHECK(waiter_ == nullptr,
                  "a SignalStream was destroyed while a task waits for it");
    Leave();
  }

  absl::Status Join() {
    return SignalDispatcher::OfThisProcess().Add(handled_, message_);
  }

  SignalSet numbers() const { return numbers_; }
  SignalSet ignored() const { return ignored_; }

  // Takes what has come of one signal; false if none has.
  bool Take(Signal& signal) {
    for (size_t i = 0; i < counted_.size(); ++i) {
      Counted& counted = counted_[next_];
      next_ = (next_ + 1) % counted_.size();
      const uint64_t count = counted.handled.count();
      const uint64_t came = count - std::exchange(counted.taken, count);
      if (came == 0) continue;
      signal = {.number = counted.handled.number(),
                .merged = came - 1,
                .sender = counted.handled.last_sender()};
      return true;
    }
    return false;
  }

  void SetWaiter(SignalStream::NextOp& op) {
    RINGWAY_CHECK(waiter_ == nullptr, "two tasks wait for one SignalStream");
    waiter_ = &op;
  }
  void ForgetWaiter() { waiter_ = nullptr; }

 private:
  // May be on its way when the stream has gone.
  struct Message final : WakeMessage {
    Message(Executor& executor, SignalSubscription& s)
        : WakeMessage(executor), subscription(&s) {}
    void OnWoken() override {
      if (subscription != nullptr) subscription->ServeWaiter();
    }
    SignalSubscription* subscription;  // the executor's
  };

  struct Counted {
    explicit Counted(int number) : handled(number) {}
    const HandledSignal handled;
    uint64_t taken = 0;
  };

  void ServeWaiter() {
    if (waiter_ == nullptr || !Take(waiter_->signal_)) return;
    std::exchange(waiter_, nullptr)->Complete(WaitEnd::kServed);
  }

  // In this order, so that the dispatcher's thread has a signal blocked again
  // before its default action could end the process.
  void Leave() {
    message_->subscription = nullptr;
    SignalDispatcher::OfThisProcess().Remove(*message_);
    counted_.clear();
  }
  void OnLoopEnd() override { Leave(); }

  const SignalSet numbers_;
  SignalSet handled_;
  SignalSet ignored_;
  const std::shared_ptr<Message> message_;
  std::deque<Counted> counted_;  // one for each number, until the loop ends
  size_t next_ = 0;              // of them, whose turn it is
  SignalStream::NextOp* waiter_ = nullptr;
};

}  // namespace internal

absl::StatusOr<SignalStream> SignalStream::Open(absl::Span<const int> numbers,
                                                Executor& executor) {
  absl::StatusOr<internal::SignalSet> set = internal::SignalSet::Of(numbers);
  if (!set.ok()) return set.status();
  auto subscription =
      std::make_unique<internal::SignalSubscription>(*set, executor);
  if (absl::Status s = subscription->Join(); !s.ok()) return s;
  return SignalStream(std::move(subscription));
}

absl::StatusOr<SignalStream> SignalStream::Open(absl::Span<const int> numbers) {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr,
                "SignalStream::Open() outside of a running executor, and "
                "without one");
  return Open(numbers, *executor);
}

SignalStream::SignalStream(
    std::unique_ptr<internal::SignalSubscription> subscription)
    : subscription_(std::move(subscription)) {}

SignalStream::SignalStream(SignalStream&& other) noexcept = default;

SignalStream& SignalStream::operator=(SignalStream&& other) noexcept {
  if (this == &other) return *this;
  Close();
  subscription_ = std::move(other.subscription_);
  return *this;
}

SignalStream::~SignalStream() { Close(); }

void SignalStream::Close() {
  if (subscription_ == nullptr ||
      LoopDependent::LetGoWithoutLoop(subscription_, kStreamName))
    return;
  subscription_.reset();
}

SignalStream::NextOp SignalStream::Next() {
  return NextOp(subscription_.get());
}

bool SignalStream::IsIgnored(int number) const {
  LoopDependent::CheckUsable(subscription_.get(), kStreamName);
  return subscription_->ignored().Contains(number);
}

// --- NextOp

SignalStream::NextOp::NextOp(internal::SignalSubscription* subscription)
    : Wait(&Describe),
      subscription_(subscription),
      unusable_(LoopDependent::WhyUnusable(subscription, kStreamName)) {}

std::string SignalStream::NextOp::Describe(const Suspension& suspension) {
  return absl::StrCat("a signal: ",
                      Of(suspension).subscription_->numbers().ToString());
}

internal::WaitEnd SignalStream::NextOp::Admit() {
  if (unusable_ != Unusable::kNo) return internal::WaitEnd::kUnusable;
  subscription_->CheckAwaitedOn(task().loop(), kStreamName);
  return internal::WaitEnd::kWaiting;
}

internal::WaitEnd SignalStream::NextOp::Begin() {
  if (subscription_->Take(signal_)) return internal::WaitEnd::kServed;
  subscription_->SetWaiter(*this);
  return internal::WaitEnd::kWaiting;
}

bool SignalStream::NextOp::Leave() {
  subscription_->ForgetWaiter();
  return true;
}

absl::StatusOr<Signal> SignalStream::NextOp::await_resume() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, "SignalStream");
  if (!served()) return status();
  return signal_;
}

}  // namespace ringway
