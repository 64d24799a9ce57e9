// SPDX-License-Identifier: Apache-2.0
//
// What responders for HTTP by hand have in common: their flags, the response,
// and what they take for requests.

#ifndef RINGWAY_TOOLS_BENCH_PEERS_HTTP_ANSWER_H_
#define RINGWAY_TOOLS_BENCH_PEERS_HTTP_ANSWER_H_

#include <getopt.h>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

namespace peer {

struct HttpFlags {
  std::string listen = "127.0.0.1:7878";
  int pin = -1;
  size_t n_bytes = 13;
};

inline HttpFlags ParseHttpFlags(int argc, char** argv) {
  static const option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                    {"pin", required_argument, nullptr, 'p'},
                                    {"bytes", required_argument, nullptr, 'b'},
                                    {}};
  HttpFlags flags;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (c == 'l') flags.listen = optarg;
    if (c == 'p') flags.pin = atoi(optarg);
    if (c == 'b') flags.n_bytes = strtoul(optarg, nullptr, 10);
    if (c == '?') exit(2);
  }
  return flags;
}

// With the fields that servers of files send.
inline std::string ResponseOf(size_t n_bytes) {
  return "HTTP/1.1 200 OK\r\nServer: by hand\r\n"
         "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Content-Type: text/plain\r\n"
         "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "ETag: \"0123456789abcdef\"\r\nContent-Length: " +
         std::to_string(n_bytes) + "\r\n\r\n" + std::string(n_bytes, 'x');
}

// The empty lines of a connection, whose bytes come in pieces.
class EmptyLines {
 public:
  size_t Count(const char* bytes, size_t n_bytes) {
    static constexpr std::string_view kEmptyLine = "\r\n\r\n";
    size_t n_lines = 0;
    for (size_t i = 0; i < n_bytes; ++i) {
      matched_ = bytes[i] == kEmptyLine[matched_] ? matched_ + 1
                 : bytes[i] == '\r'               ? 1
                                                  : 0;
      if (matched_ < kEmptyLine.size()) continue;
      matched_ = 0;
      ++n_lines;
    }
    return n_lines;
  }

 private:
  size_t matched_ = 0;
};

}  // namespace peer

#endif  // RINGWAY_TOOLS_BENCH_PEERS_HTTP_ANSWER_H_
