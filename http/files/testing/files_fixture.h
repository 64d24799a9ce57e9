// SPDX-License-Identifier: Apache-2.0
//
// FilesTest: for tests of http::Files with a server and a client on every
// backend.

#ifndef RINGWAY_HTTP_FILES_TESTING_FILES_FIXTURE_H_
#define RINGWAY_HTTP_FILES_TESTING_FILES_FIXTURE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/testing/fs_fixture.h"
#include "ringway/http/files/files.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/server/router.h"
#include "ringway/net/tcp.h"

namespace ringway::http::testing {

using fs::testing::ValueOf;

// A response as it was received.
struct Answer {
  int code = 0;  // 0: none
  std::string head;
  Headers fields;
  std::string body;
  // As long as its head says.
  bool whole = false;

  std::string Field(std::string_view name) const {
    return std::string(fields.Find(name).value_or("none"));
  }
};

using Fields = std::vector<std::pair<std::string, std::string>>;

// `content` as an answer to GET would have it, in few words: for messages.
std::string Shorten(std::string_view content);

class FilesTest : public fs::testing::FsTest {
 protected:
  // The folder that is served, with the file name or folder in it.
  std::string Below(std::string_view name) {
    return PathOf("root/" + std::string(name));
  }

  // Makes the folder. Called first.
  Task<void> MakeRoot();
  // Makes or rewrites a file in it.
  Task<void> Put(std::string name, std::string content);
  // The same as a new file in the place of the old one.
  Task<void> Replace(std::string name, std::string content);
  Task<void> MakeFolder(std::string name);
  // A link in the folder.
  Task<void> Link(std::string target, std::string name);

  // Serves it from now on, to one client.
  Task<void> Serve(FilesOptions options = FilesOptions(),
                   std::string pattern = "/*path");
  Task<void> ServeRouter(Router router);
  // Asks, and receives the response.
  Task<Answer> Ask(std::string method, std::string target, Fields fields = {});
  Task<Answer> Get(std::string target, Fields fields = {}) {
    return Ask("GET", std::move(target), std::move(fields));
  }
  // The status code, and the body if it is 200.
  Task<std::string> Brief(std::string target);
  // Ends the connection and the server.
  Task<void> End();

  net::TcpStream& client() { return *client_; }
  // Receives a response. `head_only`: to HEAD.
  Task<Answer> Receive(bool head_only);

  // Receives a part of one; false at the end.
  Task<bool> Fill();

 private:
  std::optional<net::TcpStream> client_;
  std::string received_;
  JoinHandle<absl::Status> serving_;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_FILES_TESTING_FILES_FIXTURE_H_
