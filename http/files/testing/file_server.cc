// SPDX-License-Identifier: Apache-2.0
//
// A server of files, for tests with other programs as clients:
//
//   file_server ADDRESS FOLDER [gzip] [precompressed] [listing]
//
// Its address may be one of a Unix socket: unix:/run/files.

#include <cstdio>
#include <string_view>
#include <utility>

#include "ringway/http/files/files.h"
#include "ringway/http/server/router.h"
#include "ringway/http/server/server.h"
#include "ringway/runtime/runtime.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: file_server ADDRESS FOLDER [OPTION...]\n", stderr);
    return 2;
  }
  ringway::http::FilesOptions options;
  for (int i = 3; i < argc; ++i) {
    const std::string_view option = argv[i];
    options.gzip = options.gzip || option == "gzip";
    options.precompressed = options.precompressed || option == "precompressed";
    options.listing = options.listing || option == "listing";
  }
  ringway::http::Router router;
  router.Get("/*path", ringway::http::Files(argv[2], options));
  ringway::Runtime::Builder builder;
  builder.Workers(1);
  builder.Listen(argv[1], ringway::http::Server(std::move(router)));
  return ringway::RunUntilSignal(builder);
}
