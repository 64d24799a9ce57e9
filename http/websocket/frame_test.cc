// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/frame.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

using std::string_view_literals::operator""sv;

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

HeadStep Read(std::string_view bytes, FrameHead& head) {
  size_t n_used = 0;
  const HeadStep step = ReadFrameHead(BytesOf(bytes), head, n_used);
  if (step == HeadStep::kDone) EXPECT_EQ(n_used, bytes.size());
  return step;
}

HeadStep StepOf(std::string_view bytes) {
  FrameHead head;
  return Read(bytes, head);
}

TEST(FrameTest, HeadsAreReadAsTheyWerePut) {
  for (const uint64_t n :
       {uint64_t{0}, uint64_t{1}, uint64_t{125}, uint64_t{126}, uint64_t{65535},
        uint64_t{65536}, (uint64_t{1} << 63) - 1}) {
    for (const bool masked : {false, true}) {
      FrameHead put;
      put.opcode = Opcode::kBinary;
      put.last = masked;
      put.masked = masked;
      put.n_bytes = n;
      if (masked) put.mask = {std::byte{1}, std::byte{2}, std::byte{255}};
      std::array<std::byte, kMaxFrameHeadBytes> bytes;
      const size_t size = PutFrameHead(put, bytes);
      FrameHead read;
      for (size_t i = 0; i < size; ++i) {
        size_t n_used = 0;
        EXPECT_EQ(ReadFrameHead(std::span(bytes).first(i), read, n_used),
                  HeadStep::kNeedMore);
        EXPECT_EQ(n_used, 0u);
      }
      size_t n_used = 0;
      ASSERT_EQ(ReadFrameHead(bytes, read, n_used), HeadStep::kDone);
      EXPECT_EQ(n_used, size);
      EXPECT_EQ(read.opcode, put.opcode);
      EXPECT_EQ(read.last, put.last);
      EXPECT_EQ(read.masked, put.masked);
      EXPECT_EQ(read.n_bytes, n);
      if (masked) EXPECT_EQ(read.mask, put.mask);
    }
  }
}

// The examples of RFC 6455, section 5.7.
TEST(FrameTest, ReadsTheExamplesOfTheStandard) {
  FrameHead head;
  ASSERT_EQ(Read("\x81\x05"sv, head), HeadStep::kDone);
  EXPECT_EQ(head.opcode, Opcode::kText);
  EXPECT_EQ(head.n_bytes, 5u);
  ASSERT_EQ(Read("\x81\x85\x37\xfa\x21\x3d"sv, head), HeadStep::kDone);
  EXPECT_TRUE(head.masked);
  std::string text = "\x7f\x9f\x4d\x51\x58";
  ApplyMask(head.mask, 0, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "Hello");
  ASSERT_EQ(Read("\x01\x03"sv, head), HeadStep::kDone);
  EXPECT_FALSE(head.last);
  ASSERT_EQ(Read("\x82\x7e\x01\x00"sv, head), HeadStep::kDone);
  EXPECT_EQ(head.n_bytes, 256u);
  ASSERT_EQ(Read("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"sv, head),
            HeadStep::kDone);
  EXPECT_EQ(head.n_bytes, 65536u);
}

TEST(FrameTest, RefusesWhatTheStandardForbids) {
  EXPECT_EQ(StepOf("\xc1"sv), HeadStep::kFailed);  // reserved bits
  EXPECT_EQ(StepOf("\xa1"sv), HeadStep::kFailed);
  EXPECT_EQ(StepOf("\x91"sv), HeadStep::kFailed);
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const char first = static_cast<char>(0x80 | opcode);
    EXPECT_EQ(StepOf(std::string_view(&first, 1)), HeadStep::kFailed) << opcode;
  }
  EXPECT_EQ(StepOf("\x09"sv), HeadStep::kFailed);      // a ping in fragments
  EXPECT_EQ(StepOf("\x89\x7e"sv), HeadStep::kFailed);  // a long one
  EXPECT_EQ(StepOf("\x88\xff"sv), HeadStep::kFailed);
  // Lengths in more bytes than they need.
  EXPECT_EQ(StepOf("\x81\x7e\x00\x7d"sv), HeadStep::kFailed);
  EXPECT_EQ(StepOf("\x81\x7e\x00\x7e"sv), HeadStep::kDone);
  EXPECT_EQ(StepOf("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"sv),
            HeadStep::kFailed);
  EXPECT_EQ(StepOf("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"sv),
            HeadStep::kFailed);
}

TEST(FrameTest, MasksFromAnyByteOn) {
  const Mask mask = {std::byte{0x11}, std::byte{0x22}, std::byte{0x44},
                     std::byte{0x88}};
  std::string text(37, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(7 * i);
  for (uint64_t offset = 0; offset < 9; ++offset) {
    for (size_t n = 0; n <= text.size(); ++n) {
      std::string masked = text.substr(0, n);
      ApplyMask(mask, offset, std::as_writable_bytes(std::span(masked)));
      for (size_t i = 0; i < n; ++i) {
        ASSERT_EQ(static_cast<unsigned char>(masked[i]),
                  static_cast<unsigned char>(text[i]) ^
                      std::to_integer<int>(mask[(offset + i) % 4]));
      }
    }
  }
}

}  // namespace
}  // namespace ringway::http::internal
