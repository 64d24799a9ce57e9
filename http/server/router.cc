// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/router.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/message/target.h"

namespace ringway::http {

// A segment of patterns, and what may follow it.
struct Router::Node {
  std::array<Handler, kMethods> handlers;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> names;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> rests;

  bool HasHandler() const {
    return std::any_of(handlers.begin(), handlers.end(),
                       [](const Handler& h) { return h != nullptr; });
  }
  const Handler& For(Method method) const {
    return handlers[static_cast<size_t>(method)];
  }

  static Node& ChildOf(
      std::vector<std::pair<std::string, std::unique_ptr<Node>>>& children,
      std::string_view text) {
    for (auto& [name, node] : children) {
      if (name == text) return *node;
    }
    return *children.emplace_back(text, std::make_unique<Node>()).second;
  }

  // The node for the path `rest`, which follows a slash.
  using Params = std::vector<std::pair<std::string_view, std::string>>;
  const Node* Find(std::string_view rest, Params& params) const {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    const bool last = slash == rest.size();
    const auto below = [&](const Node& node) -> const Node* {
      if (!last) return node.Find(rest.substr(slash + 1), params);
      return node.HasHandler() ? &node : nullptr;
    };
    for (const auto& [text, node] : literals) {
      if (text != segment) continue;
      if (const Node* found = below(*node)) return found;
    }
    if (!segment.empty()) {
      for (const auto& [name, node] : names) {
        if (const Node* found = Match(name, segment, params, below, *node))
          return found;
      }
    }
    for (const auto& [name, node] : rests) {
      const auto itself = [](const Node& n) { return &n; };
      if (const Node* found = Match(name, rest, params, itself, *node))
        return found;
    }
    return nullptr;
  }

  template <typename Below>
  static const Node* Match(std::string_view name, std::string_view text,
                           Params& params, const Below& below,
                           const Node& node) {
    absl::StatusOr<std::string> value = PercentDecode(text);
    if (!value.ok()) return nullptr;
    params.emplace_back(name, *std::move(value));
    const Node* found = below(node);
    if (found == nullptr) params.pop_back();
    return found;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Router& Router::Add(Method method, std::string_view pattern, Handler handler) {
  RINGWAY_CHECK(!pattern.empty() && pattern.front() == '/',
                "the route \"%s\" does not begin with a slash",
                std::string(pattern).c_str());
  Node* node = root_.get();
  bool literal = true;
  std::string_view rest = pattern.substr(1);
  while (true) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    const bool last = slash == rest.size();
    const char kind = segment.empty() ? '\0' : segment.front();
    if (kind == ':' || kind == '*') {
      literal = false;
      RINGWAY_CHECK(segment.size() > 1 && (kind == ':' || last),
                    "the route \"%s\" has a name that is empty, or a * that "
                    "is not last",
                    std::string(pattern).c_str());
      node = &Node::ChildOf(kind == ':' ? node->names : node->rests,
                            segment.substr(1));
    } else {
      node = &Node::ChildOf(node->literals, segment);
    }
    if (last) break;
    rest.remove_prefix(slash + 1);
  }
  node->handlers[static_cast<size_t>(method)] = std::move(handler);
  if (literal) literal_[pattern] = node;
  return *this;
}

const Router::Node* Router::Find(Request& request) const {
  const std::string_view path = request.path();
  if (const auto found = literal_.find(path); found != literal_.end())
    return found->second;
  if (path.empty() || path.front() != '/') return nullptr;
  return root_->Find(path.substr(1), request.params());
}

namespace {

Task<absl::Status> Refuse(ResponseWriter& response, int code,
                          std::string allow) {
  if (!allow.empty()) response.headers().Set("Allow", allow);
  const std::string_view body = code == 404   ? "Not Found\n"
                                : code == 405 ? "Method Not Allowed\n"
                                              : "";
  co_return co_await response.Send(code, body);
}

}  // namespace

Task<absl::Status> Router::Serve(Request& request,
                                 ResponseWriter& response) const {
  if (request.path() == "*") return Refuse(response, 204, "");
  const Node* node = Find(request);
  if (node == nullptr) return Refuse(response, 404, "");
  const Handler* handler = &node->For(request.method());
  if (*handler == nullptr && request.method() == Method::kHead)
    handler = &node->For(Method::kGet);
  if (*handler != nullptr) return (*handler)(request, response);
  std::string allow;
  for (size_t i = 0; i < kMethods; ++i) {
    const auto method = static_cast<Method>(i);
    const bool has =
        node->handlers[i] != nullptr || method == Method::kOptions ||
        (method == Method::kHead && node->For(Method::kGet) != nullptr);
    if (has)
      absl::StrAppend(&allow, allow.empty() ? "" : ", ", MethodName(method));
  }
  return Refuse(response, request.method() == Method::kOptions ? 204 : 405,
                std::move(allow));
}

}  // namespace ringway::http
