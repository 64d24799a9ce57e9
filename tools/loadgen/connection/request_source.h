// SPDX-License-Identifier: Apache-2.0
//
// RequestSource: the pacing as a connection sees it: when requests are to be
// sent, and what is done with their replies. A connection knows nothing else
// of the run that it is part of.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_REQUEST_SOURCE_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_REQUEST_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/executor/sync/notify.h"

namespace ringway::loadgen {

// For one connection; one thread.
class RequestSource {
 public:
  virtual ~RequestSource() = default;

  // True if Take() returns nothing while a request has no reply: the
  // connection may then write and read in turns, which costs less.
  virtual bool in_turns() const = 0;

  // Takes requests that are to be sent now, at most `most`, which is positive.
  // They are numbered from 0 in the order in which they are taken, over all
  // connections that are opened for this source.
  virtual size_t Take(size_t most) = 0;

  // Of the requests without a reply the `n` oldest have got theirs.
  virtual void OnOldestAnswered(size_t n) = 0;
  // Request `number`, which has no reply yet, has got it.
  virtual void OnAnswered(uint64_t number) = 0;
  // Request `number` has got a reply that is wrong, and the connection goes on.
  virtual void OnFailed(uint64_t number, const absl::Status& why) = 0;
  // Request `number` will get none, although the connection is alive.
  virtual void OnLost(uint64_t number) = 0;
  // There was a reply for which no request waits.
  virtual void OnStray() = 0;
  // The server has closed the connection as it may, and it was opened again.
  virtual void OnReopened() = 0;

  // True once no more requests will come: the connection is then to end when
  // all have their replies.
  virtual bool ended() const = 0;

  // Notified when Take() may return more than before, and at the end. The
  // connection's own tasks may notify each other, too.
  Notify& due() { return due_; }

 private:
  Notify due_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_REQUEST_SOURCE_H_
