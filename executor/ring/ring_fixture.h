// SPDX-License-Identifier: Apache-2.0
//
// RingConformance: a ring on each backend, and a callback that logs its
// calls.

#ifndef RINGWAY_EXECUTOR_RING_RING_FIXTURE_H_
#define RINGWAY_EXECUTOR_RING_RING_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/ring/ring.h"

namespace ringway::testing {

// All calls of its contexts, in order.
class Log {
 public:
  struct Entry {
    uint16_t which;
    std::string operation;
    int32_t result;
    bool is_final;
    std::string bytes;  // of a delivery
  };

  Context At(uint16_t which) { return Context(this, &OnDone, which); }

  // Called after each entry.
  std::function<void(Ring&, uint16_t, Completion&)> then;

  const std::vector<Entry>& entries() const { return entries_; }
  // The final results of `which`: exactly one in a correct run.
  std::vector<int32_t> Finals(uint16_t which) const {
    std::vector<int32_t> results;
    for (const Entry& entry : entries_) {
      if (entry.which == which && entry.is_final) {
        results.push_back(entry.result);
      }
    }
    return results;
  }

 private:
  static void OnDone(Ring& ring, Log& self, uint16_t which, Completion done) {
    const std::span<std::byte> bytes = done.data.bytes();
    self.entries_.push_back(
        {which, done.operation, done.result, done.is_final,
         std::string(reinterpret_cast<const char*>(bytes.data()),
                     bytes.size())});
    if (self.then) self.then(ring, which, done);
  }

  std::vector<Entry> entries_;
};

// The final result of one.
inline std::vector<int32_t> Once(int32_t result) { return {result}; }

inline std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class RingConformance : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeRing();
  }
  // The ring ends before the system whose fds it uses. A test that leaves
  // tasks in flight must end it before the objects that their callbacks use.
  void TearDown() override { ring_.reset(); }

  // Replaces the ring.
  void MakeRing(RingOptions options = RingOptions(),
                const BackendOptions& backend_options = Options()) {
    ring_.reset();
    ring_.emplace(NewLoop(backend_options), std::move(options));
  }
  void EndRing() { ring_.reset(); }

  std::unique_ptr<Loop> NewLoop(
      const BackendOptions& backend_options = Options()) {
    return std::make_unique<Loop>(MakeForTest(backend_options));
  }

  Ring& ring() { return *ring_; }

  void RunUntilDone() {
    EXPECT_EQ(ring().Run(RunMode::kUntilDone), absl::OkStatus());
  }
  // Runs everything that is ready.
  void RunWithoutWaiting() {
    EXPECT_EQ(ring().Run(RunMode::kNoWait), absl::OkStatus());
  }

 private:
  std::optional<Ring> ring_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_RING_RING_FIXTURE_H_
