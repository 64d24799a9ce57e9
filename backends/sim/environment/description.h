// SPDX-License-Identifier: Apache-2.0
//
// Description: an open file description: a socket, an end of a pipe, a file.
//
// Several fds and any number of operations in flight may refer to one; it is
// closed with the last reference. So, as with io_uring, closing the fd of a
// socket with operations in flight does not close the socket.
//
// Calls never block: they return kBlocked, and the caller waits for a change.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_DESCRIPTION_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_DESCRIPTION_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "ringway/backends/sim/environment/buffers.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway::sim {

class Environment;
class OpenFile;
class Socket;

// Retry after a change. Less than any -errno.
inline constexpr int64_t kBlocked = std::numeric_limits<int64_t>::min();

// Waits for a description to change.
class Waiter : public ListNode {
 public:
  // `events`: those that may have become ready since the last call: POLLIN,
  // ...
  using Function = void (*)(Waiter& waiter, uint32_t events);

  explicit Waiter(Function retry) : retry_(retry) {}
  void Retry(uint32_t events) { retry_(*this, events); }

 private:
  Function retry_;
};

class Description : public std::enable_shared_from_this<Description> {
 public:
  explicit Description(Environment& environment) : environment_(environment) {}
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  virtual ~Description() = default;

  // "TCP socket", "file": for reports.
  virtual std::string_view kind() const = 0;

  // As of poll(2): POLLIN, POLLOUT, POLLHUP, ...
  virtual uint32_t Ready() = 0;

  // The bytes transferred, 0 at the end, -errno, or kBlocked. Offsets as in
  // prepare.h.
  virtual int64_t Read(Buffers& to, int64_t offset) = 0;
  virtual int64_t Write(Buffers& from, int64_t offset) = 0;

  // The most that Write() would accept now.
  virtual size_t Room() { return std::numeric_limits<size_t>::max(); }

  // The derived type; null if it is another one.
  virtual Socket* AsSocket() { return nullptr; }
  virtual OpenFile* AsFile() { return nullptr; }

  IntrusiveList<Waiter>& waiters() { return waiters_; }

 protected:
  Environment& environment() const { return environment_; }

  // Makes all waiters retry soon.
  void Changed(uint32_t events);

 private:
  friend class Environment;

  Environment& environment_;
  IntrusiveList<Waiter> waiters_;
  uint32_t changed_events_ = 0;  // not yet reported to waiters_
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_DESCRIPTION_H_
