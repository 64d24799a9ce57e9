// SPDX-License-Identifier: Apache-2.0
//
// Writes one text to two files at once: one object, two fds, one callback.
//
//   multi_writer TEXT FILE FILE

#include <fcntl.h>

#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/ring/ring.h"

class MultiWriter {
 public:
  enum class Message : uint16_t { kFirst, kSecond };

  MultiWriter(std::string_view text, int first, int second)
      : rest_{text, text}, fds_{first, second} {}

  void Flush(ringway::Ring& ring) {
    WriteRest(ring, Message::kFirst);
    WriteRest(ring, Message::kSecond);
  }

  const absl::Status& status() const { return status_; }

 private:
  static void OnDone(ringway::Ring& ring, MultiWriter& self, Message which,
                     ringway::Completion done) {
    if (!done.ok()) return self.status_.Update(done.status());
    self.rest_[Index(which)].remove_prefix(static_cast<size_t>(done.result));
    self.WriteRest(ring, which);  // a write may be short
  }

  void WriteRest(ringway::Ring& ring, Message which) {
    const std::string_view rest = rest_[Index(which)];
    if (rest.empty()) return;
    ring.Write(fds_[Index(which)],
               std::as_bytes(std::span(rest.data(), rest.size())),
               ringway::Context(this, &OnDone, which));
  }

  static size_t Index(Message which) { return static_cast<size_t>(which); }

  std::string_view rest_[2];
  int fds_[2];
  absl::Status status_;
};

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: multi_writer TEXT FILE FILE\n");
    return 2;
  }
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  const ringway::UniqueFd first(open(argv[2], kFlags, 0644));
  const ringway::UniqueFd second(open(argv[3], kFlags, 0644));
  absl::StatusOr<ringway::Ring> ring = ringway::Ring::Create();
  if (!ring.ok()) {
    fprintf(stderr, "multi_writer: %s\n", ring.status().ToString().c_str());
    return 1;
  }
  MultiWriter writer(argv[1], first.get(), second.get());
  writer.Flush(*ring);
  absl::Status ended = ring->Run(ringway::RunMode::kUntilDone);
  ended.Update(writer.status());
  if (!ended.ok())
    fprintf(stderr, "multi_writer: %s\n", ended.ToString().c_str());
  return ended.ok() ? 0 : 1;
}
