// SPDX-License-Identifier: Apache-2.0
//
// LeakInChild: keeps an object for ever.
//
// For what a forked child has of its parent's objects: their threads do not
// exist there, a lock may be held for ever, and the kernel's side is shared. So
// nothing of them is destroyed; leak checkers find them kept.

#ifndef RINGWAY_CORE_LEAK_IN_CHILD_H_
#define RINGWAY_CORE_LEAK_IN_CHILD_H_

#include <utility>

namespace ringway {

// Threads: one at a time for each type, as in a child that has just one.
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
