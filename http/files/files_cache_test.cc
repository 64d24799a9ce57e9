// SPDX-License-Identifier: Apache-2.0
//
// What is kept of files: how long, how many, and that it costs no fd too many.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/fs/path_ops.h"
#include "ringway/http/files/testing/files_fixture.h"

namespace ringway::http {
namespace {

using testing::Answer;
using testing::Fields;

using FilesCacheTest = testing::FilesTest;

FilesOptions Valid(absl::Duration validity) {
  FilesOptions options;
  options.validity = validity;
  return options;
}

TEST_P(FilesCacheTest, AReplacedFileIsSentAfterTheValidity) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "old");
    co_await Serve(Valid(absl::Milliseconds(1)));
    const std::string tag = (co_await Get("/f")).Field("ETag");
    co_await Replace("f", "new");
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    const Answer answer = co_await Get("/f");
    EXPECT_EQ(answer.body, "new");
    EXPECT_NE(answer.Field("ETag"), tag);
    EXPECT_TRUE((co_await fs::RemoveFile(Below("f"))).ok());
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    EXPECT_EQ(co_await Brief("/f"), "404");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, WithinTheValidityNothingIsAsked) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "old");
    co_await Put("large", std::string(100'000, 'x'));
    co_await Serve(Valid(absl::Hours(1)));
    EXPECT_EQ(co_await Brief("/f"), "200 old");
    EXPECT_EQ((co_await Get("/large")).body.size(), 100'000u);
    EXPECT_TRUE((co_await fs::RemoveFile(Below("f"))).ok());
    EXPECT_TRUE((co_await fs::RemoveFile(Below("large"))).ok());
    EXPECT_EQ(co_await Brief("/f"), "200 old");
    EXPECT_EQ((co_await Get("/large")).body.size(), 100'000u);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, WithoutAValidityEachRequestLooks) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "old");
    co_await Serve(Valid(absl::ZeroDuration()));
    EXPECT_EQ(co_await Brief("/f"), "200 old");
    co_await Replace("f", "new");
    EXPECT_EQ(co_await Brief("/f"), "200 new");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, AnUnchangedFileStaysAfterTheValidity) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "same");
    co_await Serve(Valid(absl::Milliseconds(1)));
    const Answer before = co_await Get("/f");
    for (int i = 0; i < 3; ++i) {
      (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
      const Answer after = co_await Get("/f");
      EXPECT_EQ(after.head, before.head);
      EXPECT_EQ(after.body, "same");
    }
    co_await End();
  };
  Run(main());
}

// As a release is put in place of another.
TEST_P(FilesCacheTest, AReplacedRootIsServed) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "old");
    EXPECT_TRUE((co_await fs::MakeDirectory(PathOf("next"))).ok());
    const std::string name = "next/f";
    co_await Make(name, "new");
    co_await Serve(Valid(absl::Milliseconds(1)));
    EXPECT_EQ(co_await Brief("/f"), "200 old");
    EXPECT_TRUE((co_await fs::Rename(PathOf("root"), PathOf("last"))).ok());
    EXPECT_TRUE((co_await fs::Rename(PathOf("next"), PathOf("root"))).ok());
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    EXPECT_EQ(co_await Brief("/f"), "200 new");
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, KeepsNoMoreFilesThanItMay) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    for (int i = 0; i < 20; ++i)
      co_await Put(absl::StrCat("f", i), absl::StrCat("content ", i));
    FilesOptions options = Valid(absl::Hours(1));
    options.max_kept_files = 4;
    options.max_kept_bytes = 0;  // so that each has its fd
    co_await Serve(options);
    const size_t before = OpenFds();
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(co_await Brief(absl::StrCat("/f", i)),
                  absl::StrCat("200 content ", i));
      }
    }
    co_await net::testing::TurnTimes(20);  // files are closed meanwhile
    EXPECT_LE(OpenFds(), before + 4 + 1);  // and the folder
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, ContentsNeedNoFd) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    for (int i = 0; i < 20; ++i)
      co_await Put(absl::StrCat("f", i), std::string(1000, 'x'));
    FilesOptions options = Valid(absl::Hours(1));
    options.max_kept_bytes = 5000;
    co_await Serve(options);
    const size_t before = OpenFds();
    for (int i = 0; i < 20; ++i) {
      const Answer answer = co_await Get(absl::StrCat("/f", i));
      EXPECT_EQ(answer.body, std::string(1000, 'x'));
    }
    co_await net::testing::TurnTimes(20);
    EXPECT_LE(OpenFds(), before + 1);
    // The last ones are kept, the first are not.
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE((co_await fs::RemoveFile(Below(absl::StrCat("f", i)))).ok());
    EXPECT_EQ(co_await Brief("/f0"), "404");
    EXPECT_EQ((co_await Get("/f19")).code, 200);
    co_await End();
  };
  Run(main());
}

TEST_P(FilesCacheTest, RequestsInOneWriteAreAllAnswered) {
  auto main = [&]() -> Task<void> {
    co_await MakeRoot();
    co_await Put("f", "hello");
    co_await Serve();
    std::string requests;
    for (int i = 0; i < 50; ++i)
      requests += "GET /f HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_TRUE((co_await client().Write(fs::testing::Bytes(requests))).ok());
    for (int i = 0; i < 50; ++i) {
      Task<Answer> receive = Receive(/*head_only=*/false);
      EXPECT_EQ((co_await std::move(receive)).body, "hello");
    }
    co_await End();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FilesCacheTest);

}  // namespace
}  // namespace ringway::http
