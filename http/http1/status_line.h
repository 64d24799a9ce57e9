// SPDX-License-Identifier: Apache-2.0
//
// StatusLine: checks the form of a status line (RFC 9112, section 4), beside
// llhttp, which takes empty lines before it, other protocols than HTTP, control
// characters in its phrase and a CR too many.

#ifndef RINGWAY_HTTP_HTTP1_STATUS_LINE_H_
#define RINGWAY_HTTP_HTTP1_STATUS_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringway::http {

// Threads: one at a time.
class StatusLine {
 public:
  // Checks `bytes`, which follow those of the calls before. Returns how many
  // are well-formed: all, or those before the first one that is not, of which
  // error() is the reason. Goes no further than the end of the line.
  size_t Check(std::string_view bytes);
  // A constant; empty unless it is malformed.
  std::string_view error() const { return error_; }

  // Bytes of the phrase.
  size_t phrase_bytes() const { return n_phrase_; }

 private:
  // What comes next.
  enum class Part : uint8_t { kStart, kPhraseOrEnd, kPhrase, kEnd, kEnded };

  // Null if `c` may come next.
  const char* Take(char c);

  Part part_ = Part::kStart;
  uint8_t n_start_ = 0;  // bytes of the version and the status code
  size_t n_phrase_ = 0;
  std::string_view error_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_STATUS_LINE_H_
