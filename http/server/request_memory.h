// SPDX-License-Identifier: Apache-2.0
//
// RequestMemory: the buffers of a request and its response, which a connection
// of HTTP/1, or a stream of HTTP/2, borrows from its worker while it has a
// request: so a connection that is idle has none, and requests allocate none.

#ifndef RINGWAY_HTTP_SERVER_REQUEST_MEMORY_H_
#define RINGWAY_HTTP_SERVER_REQUEST_MEMORY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Empty, whatever memory it has.
struct RequestMemory {
  // Exchanges the buffers for those of `head` and of its response.
  void Swap(RequestHead& head, Headers& response_headers) {
    request.Swap(head.headers);
    target.swap(head.target_text);
    response.Swap(response_headers);
  }

  Headers request;
  Headers response;
  std::string target;
  std::string out;  // bytes of a response of HTTP/1
};

// An object of ExecutorLocals.
class RequestMemoryPool {
 public:
  // Of each buffer; a larger one is given back to the allocator.
  static constexpr size_t kKeptBytes = 4096;
  // How many are kept for the next requests.
  static constexpr size_t kKept = 64;

  // One that has been used, if there is one.
  std::unique_ptr<RequestMemory> Take() {
    if (spare_.empty()) return std::make_unique<RequestMemory>();
    std::unique_ptr<RequestMemory> taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }
  void Put(std::unique_ptr<RequestMemory> memory) {
    if (spare_.size() >= kKept) return;
    memory->request.Shrink(kKeptBytes);
    memory->response.Shrink(kKeptBytes);
    // Assigning an empty string would keep the memory.
    if (memory->target.capacity() > kKeptBytes)
      std::string().swap(memory->target);
    if (memory->out.capacity() > kKeptBytes) std::string().swap(memory->out);
    spare_.push_back(std::move(memory));
  }

 private:
  std::vector<std::unique_ptr<RequestMemory>> spare_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_REQUEST_MEMORY_H_
