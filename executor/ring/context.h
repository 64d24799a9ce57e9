// SPDX-License-Identifier: Apache-2.0
//
// Context: the callback of a ring's task: an object, a function and a message
// that identifies the task among those of the object.
//
// An object with many operations in flight needs one callback; the message
// tells them apart. Passed by value, three pointers and a number; nothing is
// allocated.
//
//   class Session {
//     enum class Message : uint16_t { kRead, kWritten };
//     static void OnDone(Ring& ring, Session& self, Message which,
//                        Completion done);
//     ...
//     ring.Recv(fd_, buffer_, Context(this, &OnDone, Message::kRead));

#ifndef RINGWAY_EXECUTOR_RING_CONTEXT_H_
#define RINGWAY_EXECUTOR_RING_CONTEXT_H_

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ringway/executor/ring/completion.h"

namespace ringway {

class Ring;

// The type of a context's message: an enum of at most 16 bits, or uint16_t.
template <typename M>
concept ContextMessage = (std::is_enum_v<M> && sizeof(M) <= sizeof(uint16_t)) ||
                         std::same_as<M, uint16_t>;

class Context {
 public:
  // Calls `callback(ring, *object, message, completion)`. The object must live
  // until the task's last callback.
  template <typename T, ContextMessage M>
  Context(std::type_identity_t<T>* object,
          void (*callback)(Ring&, T&, M, Completion),
          std::type_identity_t<M> message)
      : object_(object),
        callback_(reinterpret_cast<ErasedCallback>(callback)),
        call_(&CallWithMessage<T, M>),
        message_(static_cast<uint16_t>(message)) {}

  // Calls `callback(ring, *object, completion)`, for objects with one task at
  // a time.
  template <typename T>
  Context(std::type_identity_t<T>* object,
          void (*callback)(Ring&, T&, Completion))
      : object_(object),
        callback_(reinterpret_cast<ErasedCallback>(callback)),
        call_(&CallWithout<T>) {}

  // For the ring.
  void Call(Ring& ring, Completion done) const {
    call_(*this, ring, std::move(done));
  }

 private:
  using ErasedCallback = void (*)();

  template <typename T, typename M>
  static void CallWithMessage(const Context& self, Ring& ring,
                              Completion done) {
    const auto callback =
        reinterpret_cast<void (*)(Ring&, T&, M, Completion)>(self.callback_);
    callback(ring, *static_cast<T*>(self.object_),
             static_cast<M>(self.message_), std::move(done));
  }

  template <typename T>
  static void CallWithout(const Context& self, Ring& ring, Completion done) {
    const auto callback =
        reinterpret_cast<void (*)(Ring&, T&, Completion)>(self.callback_);
    callback(ring, *static_cast<T*>(self.object_), std::move(done));
  }

  void* object_;
  ErasedCallback callback_;
  void (*call_)(const Context&, Ring&, Completion);
  uint16_t message_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_CONTEXT_H_
