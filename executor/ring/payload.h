// SPDX-License-Identifier: Apache-2.0
//
// MessagePayload: the content of a message between rings: a number, an fd, a
// pointer or bytes. It owns its content: destroying it closes an fd and
// deletes a pointer.

#ifndef RINGWAY_EXECUTOR_RING_PAYLOAD_H_
#define RINGWAY_EXECUTOR_RING_PAYLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"

namespace ringway {

// A type-erased unique_ptr, or a borrowed pointer, which is not deleted.
class OwnedPointer {
 public:
  OwnedPointer() = default;
  template <typename T>
  explicit OwnedPointer(std::unique_ptr<T> pointer)
      : pointer_(pointer.release(), &Delete<T>) {}

  // Refers to `pointer` without owning it.
  template <typename T>
  static OwnedPointer Borrow(T* pointer) {
    OwnedPointer borrowed;
    borrowed.pointer_.reset(pointer);
    return borrowed;
  }

  template <typename T>
  T* get() const {
    return static_cast<T*>(pointer_.get());
  }

  // Returns the unique_ptr that it was made from (checked).
  template <typename T>
  std::unique_ptr<T> Take() {
    RINGWAY_CHECK(pointer_.get_deleter() == &Delete<T>,
                  "Take() of a pointer that is borrowed, or of another type");
    return std::unique_ptr<T>(static_cast<T*>(pointer_.release()));
  }

 private:
  template <typename T>
  static void Delete(void* pointer) {
    std::default_delete<T>()(static_cast<T*>(pointer));
  }
  static void Forget(void*) {}

  std::unique_ptr<void, void (*)(void*)> pointer_{nullptr, &Forget};
};

// std::string holds bytes; sending moves them and does not copy.
using MessagePayload =
    std::variant<uint64_t, UniqueFd, OwnedPointer, std::string>;

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_PAYLOAD_H_
