// SPDX-License-Identifier: Apache-2.0
//
// ProcessWide: an object of type T that the whole process shares, made when it
// is first asked for, and never destroyed, because other threads may use it
// until the process ends. A forked child, which has none of its parent's
// threads and may wait for none of its locks, gets another one.
//
//   ThreadPool& Default() {
//     static ringway::ProcessWide<ThreadPool> pool;
//     return pool.Get([] { return *ThreadPool::Create(); });
//   }

#ifndef RINGWAY_CORE_PROCESS_WIDE_H_
#define RINGWAY_CORE_PROCESS_WIDE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "ringway/core/owner_thread.h"

namespace ringway {

template <typename T>
class ProcessWide {
 public:
  constexpr ProcessWide() = default;
  ProcessWide(const ProcessWide&) = delete;
  ProcessWide& operator=(const ProcessWide&) = delete;

  // `make` returns a std::unique_ptr<T>. If several threads come first, one's
  // object stays, and the others' are destroyed.
  //
  // Threads: any.
  template <typename Make>
  T& Get(Make make) {
    Shared* shared = shared_.load(std::memory_order_acquire);
    while (shared == nullptr || shared->owner.forked()) {
      auto made = std::make_unique<Shared>(make());
      if (shared_.compare_exchange_strong(shared, made.get(),
                                          std::memory_order_acq_rel))
        shared = made.release();
    }
    return *shared->object;
  }

  // The object if this process has made it, else null.
  //
  // Threads: any.
  T* Find() const {
    const Shared* shared = shared_.load(std::memory_order_acquire);
    if (shared == nullptr || shared->owner.forked()) return nullptr;
    return shared->object.get();
  }

 private:
  struct Shared {
    explicit Shared(std::unique_ptr<T> o) : object(std::move(o)) {}
    const OwnerProcess owner;
    const std::unique_ptr<T> object;
  };

  std::atomic<Shared*> shared_{nullptr};
};

}  // namespace ringway

#endif  // RINGWAY_CORE_PROCESS_WIDE_H_
