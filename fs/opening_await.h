// SPDX-License-Identifier: Apache-2.0
//
// OpeningAwait: an await whose result is a new fd. Internal.
//
// The fd is the await's own until it is made a File of. So a frame that is
// destroyed after the operation has ended, and before it continues, leaks
// nothing, and neither does a file for which there is no memory.

#ifndef RINGWAY_FS_OPENING_AWAIT_H_
#define RINGWAY_FS_OPENING_AWAIT_H_

#include <coroutine>
#include <memory>
#include <string>

#include "ringway/core/compiler.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/fs/file_core.h"

namespace ringway::fs::internal {

class OpeningAwait : public OperationAwait {
 public:
  OpeningAwait(const OpeningAwait&) = delete;
  OpeningAwait& operator=(const OpeningAwait&) = delete;
  ~OpeningAwait();

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    loop_ = &leaf.promise().task().loop();
    return OperationAwait::await_suspend(leaf);
  }

 protected:
  using OperationAwait::OperationAwait;

  // The fd, which `result` is, as a file. `name` is for messages. Throws
  // std::bad_alloc.
  std::unique_ptr<FileCore> TakeCore(std::string name);

 private:
  Loop* loop_ = nullptr;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_OPENING_AWAIT_H_
