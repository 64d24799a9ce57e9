// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring_thread.h"

#include <exception>
#include <future>
#include <system_error>

#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/leak_in_child.h"

namespace ringway {
namespace {

using Init = absl::AnyInvocable<absl::Status(Ring&)>;
using Ready = std::promise<absl::StatusOr<RingAddress>>;

absl::StatusOr<Ring> MakeRing(RingOptions& options, Init& init) {
  absl::StatusOr<Ring> ring = Ring::Create(std::move(options));
  if (!ring.ok()) return ring;
  if (absl::Status s = init(*ring); !s.ok()) return s;
  return ring;
}

void ThreadMain(RingOptions options, Init init, Ready ready) {
  try {
    absl::StatusOr<Ring> ring = MakeRing(options, init);
    if (!ring.ok()) {
      ready.set_value(ring.status());
      return;
    }
    ready.set_value(ring->address());
    ring->Run(RunMode::kForever)
        .IgnoreError();  // fails only inside another Run()
  } catch (...) {
    ready.set_exception(std::current_exception());
  }
}

// Joins the thread if no ring was created.
struct Starting {
  ~Starting() {
    if (thread.joinable()) thread.join();
  }
  std::thread thread;
};

}  // namespace

absl::StatusOr<RingThread> SpawnThread(RingOptions options, Init init) {
  Ready promise;
  std::future<absl::StatusOr<RingAddress>> ready = promise.get_future();
  Starting starting;
  try {
    starting.thread = std::thread(&ThreadMain, std::move(options),
                                  std::move(init), std::move(promise));
  } catch (const std::system_error& e) {
    return ErrnoToStatus(e.code().value(), "starting the thread of a ring");
  }
  absl::StatusOr<RingAddress> address = ready.get();
  if (!address.ok()) return address.status();
  return RingThread(*std::move(address), std::move(starting.thread));
}

RingThread::~RingThread() {
  if (!thread_.joinable()) return;
  if (owner_.forked()) {
    LeakInChild(std::move(thread_));
    return;
  }
  Kill();
  Join();
}

void RingThread::Kill() {
  owner_.Check("the thread of a ring");
  address_.Stop();
}

void RingThread::Join() {
  if (!thread_.joinable()) return;
  owner_.Check("the thread of a ring");
  RINGWAY_CHECK(thread_.get_id() != std::this_thread::get_id(),
                "Join() of a ring's thread from that thread");
  thread_.join();
}

}  // namespace ringway
