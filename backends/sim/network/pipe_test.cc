// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/pipe.h"

#include <poll.h>

#include <cerrno>
#include <memory>
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/environment.h"

namespace ringway::sim {
namespace {

class PipeTest : public ::testing::Test {
 protected:
  PipeTest() { std::tie(reader_, writer_) = PipeEnd::MakePair(environment_); }

  int64_t Write(size_t n_bytes) {
    std::string bytes(n_bytes, 'x');
    Buffers from(bytes.data(), bytes.size());
    return writer_->Write(from, -1);
  }
  int64_t Read(size_t n_bytes) {
    std::string bytes(n_bytes, '\0');
    Buffers to(bytes.data(), bytes.size());
    return reader_->Read(to, -1);
  }

  Environment environment_{1};
  std::shared_ptr<PipeEnd> reader_, writer_;
};

TEST_F(PipeTest, HoldsSixtyFourKilobytes) {
  EXPECT_EQ(Write(100'000), 65'536);
  EXPECT_EQ(Write(1), kBlocked);
  EXPECT_EQ(writer_->Ready() & POLLOUT, 0u);
  EXPECT_EQ(Read(10), 10);
  EXPECT_EQ(Write(10), 10);
}

TEST_F(PipeTest, TakesAFewBytesWholeOrNotAtAll) {
  EXPECT_EQ(Write(65'000), 65'000);
  EXPECT_EQ(Write(4096), kBlocked) << "though 536 would fit";
  EXPECT_EQ(Write(5000), kBlocked);
  EXPECT_EQ(Read(4000), 4000);
  EXPECT_EQ(Write(5000), 4536) << "more than PIPE_BUF may be cut";
}

TEST_F(PipeTest, EndsWhenTheWriterIsGone) {
  EXPECT_EQ(Read(1), kBlocked);
  Write(1);
  writer_.reset();
  EXPECT_EQ(reader_->Ready(), static_cast<uint32_t>(POLLIN | POLLHUP));
  EXPECT_EQ(Read(1), 1);
  EXPECT_EQ(Read(1), 0);
  EXPECT_EQ(reader_->Ready(), static_cast<uint32_t>(POLLHUP));
}

TEST_F(PipeTest, BreaksWhenTheReaderIsGone) {
  reader_.reset();
  EXPECT_EQ(Write(1), -EPIPE);
  EXPECT_EQ(writer_->Ready() & POLLERR, static_cast<uint32_t>(POLLERR));
}

TEST_F(PipeTest, HasOneDirection) {
  char byte = 'x';
  Buffers memory(&byte, 1);
  EXPECT_EQ(reader_->Write(memory, -1), -EBADF);
  EXPECT_EQ(writer_->Read(memory, -1), -EBADF);
}

}  // namespace
}  // namespace ringway::sim
