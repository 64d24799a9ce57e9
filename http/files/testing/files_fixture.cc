// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/testing/files_fixture.h"

#include <algorithm>
#include <array>
#include <span>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/fs/path_ops.h"
#include "ringway/http/server/router.h"
#include "ringway/http/server/server.h"

namespace ringway::http::testing {

using fs::testing::AsString;
using fs::testing::Bytes;

std::string Shorten(std::string_view content) {
  if (content.size() <= 60) return std::string(content);
  return absl::StrCat(content.substr(0, 50), "... ", content.size(), " bytes");
}

Task<void> FilesTest::MakeRoot() {
  EXPECT_TRUE((co_await fs::MakeDirectory(PathOf("root"))).ok());
}

Task<void> FilesTest::Put(std::string name, std::string content) {
  const std::string below = absl::StrCat("root/", name);
  Task<std::string> make = Make(below, content);
  co_await std::move(make);
}

Task<void> FilesTest::Replace(std::string name, std::string content) {
  Task<std::string> make = Make("replacement", content);
  const std::string from = co_await std::move(make);
  const absl::Status renamed = co_await fs::Rename(from, Below(name));
  EXPECT_TRUE(renamed.ok()) << renamed;
}

Task<void> FilesTest::MakeFolder(std::string name) {
  const absl::Status made = co_await fs::MakeDirectory(Below(name));
  EXPECT_TRUE(made.ok()) << made;
}

Task<void> FilesTest::Link(std::string target, std::string name) {
  const absl::Status made =
      co_await fs::Symlink(std::move(target), Below(name));
  EXPECT_TRUE(made.ok()) << made;
}

Task<void> FilesTest::Serve(FilesOptions options, std::string pattern) {
  Router router;
  router.Get(pattern, Files(PathOf("root"), std::move(options)));
  Task<void> serve = ServeRouter(std::move(router));
  co_await std::move(serve);
}

Task<void> FilesTest::ServeRouter(Router router) {
  ServerOptions server_options;
  server_options.send_date = false;  // so that heads can be compared
  const Server server(std::move(router), server_options);
  net::TcpListener listener = ListenOn("127.0.0.1:0");
  const net::SocketAddress address = ValueOf(listener.LocalAddress());
  client_ = ValueOf(co_await net::Connect(address));
  serving_ = Spawn(server(ValueOf(co_await listener.Accept())));
}

Task<void> FilesTest::End() {
  client_.reset();
  received_.clear();
  static_cast<void>(co_await serving_);
}

// False at the end.
Task<bool> FilesTest::Fill() {
  std::array<std::byte, 64 * 1024> buffer;
  const absl::StatusOr<size_t> n = co_await client_->Read(buffer);
  if (!n.ok() || *n == 0) co_return false;
  received_ += AsString(std::span(buffer).first(*n));
  co_return true;
}

Task<Answer> FilesTest::Receive(bool head_only) {
  Answer answer;
  size_t end = received_.find("\r\n\r\n");
  while (end == std::string::npos) {
    Task<bool> fill = Fill();
    if (!co_await std::move(fill)) co_return answer;
    end = received_.find("\r\n\r\n");
  }
  answer.head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  EXPECT_TRUE(absl::StartsWith(answer.head, "HTTP/1.1 ")) << answer.head;
  EXPECT_TRUE(absl::SimpleAtoi(answer.head.substr(9, 3), &answer.code));
  std::string_view rest = answer.head;
  rest.remove_prefix(rest.find("\r\n") + 2);
  while (!rest.empty()) {
    const size_t line = rest.find("\r\n");
    const size_t colon = rest.find(": ");
    answer.fields.Add(rest.substr(0, colon),
                      rest.substr(colon + 2, line - colon - 2));
    rest.remove_prefix(line + 2);
  }
  size_t n_body = 0;
  if (const auto length = answer.fields.Find("Content-Length");
      length.has_value() && !head_only) {
    EXPECT_TRUE(absl::SimpleAtoi(*length, &n_body)) << *length;
  }
  bool more = true;
  while (more && received_.size() < n_body) {
    Task<bool> fill = Fill();
    more = co_await std::move(fill);
  }
  answer.body = received_.substr(0, n_body);
  answer.whole = answer.body.size() == n_body;
  received_.erase(0, answer.body.size());
  co_return answer;
}

Task<Answer> FilesTest::Ask(std::string method, std::string target,
                            Fields fields) {
  std::string request =
      absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: a\r\n");
  for (const auto& [name, value] : fields)
    absl::StrAppend(&request, name, ": ", value, "\r\n");
  request += "\r\n";
  const absl::Status sent = co_await client_->Write(Bytes(request));
  EXPECT_TRUE(sent.ok()) << sent;
  Task<Answer> receive = Receive(/*head_only=*/method == "HEAD");
  co_return co_await std::move(receive);
}

Task<std::string> FilesTest::Brief(std::string target) {
  Task<Answer> get = Get(std::move(target));
  const Answer answer = co_await std::move(get);
  if (answer.code != 200) co_return absl::StrCat(answer.code);
  co_return absl::StrCat("200 ", Shorten(answer.body));
}

}  // namespace ringway::http::testing
