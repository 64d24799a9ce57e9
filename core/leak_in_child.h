// SPDX-License-Identifier: Apache-2.0
//
// LeakInChild: leaks an object on purpose.
//
// For a forked child's copies of its parent's objects: their threads do not
// exist there, a lock may stay held forever, and kernel objects are shared.
// So they must not be destroyed; leak checkers still find them reachable.

#ifndef RINGWAY_CORE_LEAK_IN_CHILD_H_
#define RINGWAY_CORE_LEAK_IN_CHILD_H_

#include <utility>

namespace ringway {

// Threads: one at a time for each type; a forked child has only one.
template <typename T>
void LeakInChild(T object) {
  struct Kept {
    T object;
    Kept* next;
  };
  static Kept* kept = nullptr;
  kept = new Kept{std::move(object), kept};
}

}  // namespace ringway

#endif  // RINGWAY_CORE_LEAK_IN_CHILD_H_
