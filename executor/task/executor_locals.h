// SPDX-License-Identifier: Apache-2.0
//
// ExecutorLocals: objects of one executor, one of each type: what a worker has
// for itself, such as a cache or its pool for blocking calls.
//
//   struct Hits {
//     int n = 0;
//   };
//   ++ringway::CurrentExecutor().locals().Get<Hits>().n;

#ifndef RINGWAY_EXECUTOR_TASK_EXECUTOR_LOCALS_H_
#define RINGWAY_EXECUTOR_TASK_EXECUTOR_LOCALS_H_

#include <memory>
#include <utility>
#include <vector>

#include "ringway/core/leak_in_child.h"

namespace ringway {

// Threads: the executor's only.
class ExecutorLocals {
 public:
  ExecutorLocals() = default;
  ExecutorLocals(const ExecutorLocals&) = delete;
  ExecutorLocals& operator=(const ExecutorLocals&) = delete;
  // Destroys the objects in the reverse of the order they were made in.
  ~ExecutorLocals() { Clear(); }

  // For a forked child, to which the objects do not belong: leaks them.
  void ForgetInChild() { LeakInChild(std::move(locals_)); }

  // The object of type T, which T() makes at the first call. Stays where it is
  // until the executor ends, whose tasks have ended by then.
  //
  // Cost: one pass over the types that were asked for.
  template <typename T>
  T& Get() {
    for (const Local& local : locals_) {
      if (local.type == &kTypeOf<T>)
        return *static_cast<T*>(local.object.get());
    }
    auto made = std::make_shared<T>();
    T& object = *made;
    locals_.push_back({&kTypeOf<T>, std::move(made)});
    return object;
  }

 private:
  struct Local {
    const char* type;
    std::shared_ptr<void> object;
  };

  // Its address stands for T.
  template <typename T>
  static constexpr char kTypeOf = 0;

  void Clear() {
    while (!locals_.empty()) {
      const Local last = std::move(locals_.back());
      locals_.pop_back();
    }
  }

  std::vector<Local> locals_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_EXECUTOR_LOCALS_H_
