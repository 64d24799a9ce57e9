// SPDX-License-Identifier: Apache-2.0
//
// StreamWriteBuffer: the WriteBuffer of a stream. Its send is an operation in
// the stream's order of writes, without a task.

#ifndef RINGWAY_NET_SOCKET_STREAM_WRITE_BUFFER_H_
#define RINGWAY_NET_SOCKET_STREAM_WRITE_BUFFER_H_

#include <cstddef>
#include <memory>

#include "ringway/backends/operation.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/writing/write_buffer.h"

namespace ringway::net::internal {

class StreamWriteBuffer final : public WriteBuffer {
 public:
  // Null for a stream that is closed or whose loop has ended.
  static std::unique_ptr<WriteBuffer> New(const StreamHalf& stream,
                                          size_t limit_bytes);

 private:
  struct Send : Operation {
    explicit Send(StreamWriteBuffer& b) : Operation(&OnDone), buffer(b) {}
    static void OnDone(Runnable& entry);
    StreamWriteBuffer& buffer;
  };

  StreamWriteBuffer(const StreamHalf& stream, size_t limit_bytes);

  bool IsOpen() const override { return stream_.core() != nullptr; }
  void StartSend() override;
  bool CanTakeMore() const override;
  void TakeMore() override;
  bool CancelSend() override;

  void PrepareRest();
  void OnSent();

  StreamHalf stream_;
  const int fd_;
  // The stream, from the start of a send to its end. It exists that long even
  // if it is closed meanwhile.
  StreamCore* sending_to_ = nullptr;
  Send send_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_STREAM_WRITE_BUFFER_H_
