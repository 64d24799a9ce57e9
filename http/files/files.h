// SPDX-License-Identifier: Apache-2.0
//
// http::Files: answers with the files of a folder.
//
//   router.Get("/files/*path", ringway::http::Files("public"));
//
//   ringway::http::FilesOptions options;
//   options.gzip = true;
//   options.cache_control = "max-age=60";
//   router.Get("/*path", ringway::http::Files("public", options));
//
// Nothing that a request asks for is outside of the folder: the kernel resolves
// each path below it (fs/directory/directory.h), so links in it are followed
// unless they are absolute or lead out, and nothing that is exchanged meanwhile
// leads out. What is no regular file, such as a FIFO, is not there.
//
// README.md has the status codes and what is kept in memory.

#ifndef RINGWAY_HTTP_FILES_FILES_H_
#define RINGWAY_HTTP_FILES_FILES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/files/files_options.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"

namespace ringway::http {

namespace internal {
struct FilesCore;
}

// A Handler for GET, with which HEAD comes. The part of the route with the name
// "path" is the path of the file, as in "/files/*path"; without such a part the
// whole path of the request is.
//
// Copies share options, and on each worker open files.
//
// Threads: any.
class Files {
 public:
  // `root`: the folder, which is opened when it is needed, and again when
  // another one has taken its name. Aborts if `options` are out of range: see
  // CheckFilesOptions().
  explicit Files(std::string root, FilesOptions options = FilesOptions());

  // Must outlive the task. Its errors are those of the response, and:
  // Internal: there is no such folder; Unavailable: a file has become shorter
  // while it was read, or there is no fd or memory left; Unimplemented before
  // Linux 5.6; others of the file system.
  //
  // Cost: for a small file that is kept, two frames and a write.
  Task<absl::Status> operator()(Request& request,
                                ResponseWriter& response) const;

 private:
  std::shared_ptr<const internal::FilesCore> core_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_FILES_FILES_H_
