// SPDX-License-Identifier: Apache-2.0
//
// Router: which handler answers, by method and path.
//
//   http::Router router;
//   router.Get("/hello", Hello);
//   router.Get("/users/:id", ShowUser);     // Param("id")
//   router.Put("/files/*path", StoreFile);  // Param("path"): all that follows

#ifndef RINGWAY_HTTP_SERVER_ROUTER_H_
#define RINGWAY_HTTP_SERVER_ROUTER_H_

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/message/method.h"
#include "ringway/http/server/handler.h"

namespace ringway::http {

// Of several routes that match, the one with the longest literal beginning
// answers: "/a/b" goes before "/a/:x", and that before "/a/*rest". A segment of
// a path is compared as sent, and ":name" takes no empty one.
//
// A path that no route has is 404; one whose routes have other methods is 405
// with Allow, and OPTIONS of it is 204 with Allow. HEAD goes to GET's handler.
// OPTIONS of "*", the server as a whole, is 204.
//
// Movable. A server has its own copy of it, which never changes.
class Router {
 public:
  Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  // Aborts if `pattern` is malformed: it must begin with a slash, names must
  // not be empty, and "*name" must be last.
  Router& Get(std::string_view pattern, Handler handler) {
    return Add(Method::kGet, pattern, std::move(handler));
  }
  Router& Post(std::string_view pattern, Handler handler) {
    return Add(Method::kPost, pattern, std::move(handler));
  }
  Router& Put(std::string_view pattern, Handler handler) {
    return Add(Method::kPut, pattern, std::move(handler));
  }
  Router& Delete(std::string_view pattern, Handler handler) {
    return Add(Method::kDelete, pattern, std::move(handler));
  }
  // Any method. A later route of the same method and pattern replaces this one.
  Router& Add(Method method, std::string_view pattern, Handler handler);

  // Answers by the route for `request`.
  Task<absl::Status> Serve(Request& request, ResponseWriter& response) const;

 private:
  struct Node;

  const Node* Find(Request& request) const;

  absl::flat_hash_map<std::string, Node*> literal_;  // patterns without names
  std::unique_ptr<Node> root_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_ROUTER_H_
