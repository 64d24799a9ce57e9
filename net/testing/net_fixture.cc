// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/net_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "ringway/executor/structured/timeout.h"

namespace ringway::net::testing {

NetTest::NetTest(const ExecutorOptions& options) : options_(options) {}

NetTest::~NetTest() = default;

void NetTest::SetUp() {
  BackendConformance::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  fds_before_ = OpenFds();
  MakeExecutor();
}

void NetTest::MakeExecutor() {
  BackendOptions backend = options_.loop.backend;
  backend.kind = Options().kind;
  backend.uring = Options().uring;
  executor_ = std::make_unique<Executor>(
      std::make_unique<Loop>(MakeForTest(backend), options_.loop), options_);
}

void NetTest::TearDown() {
  if (!fds_before_.has_value()) return;
  DestroyExecutor();
  EXPECT_EQ(OpenFds(), *fds_before_) << "an fd leaked";
  EXPECT_THAT(system().Mistakes(), ::testing::IsEmpty());
}

void NetTest::Run(Task<void> main) {
  Task<absl::Status> limited = WithTimeout(kPatience, std::move(main));
  const absl::Status ended = executor_->Run(std::move(limited));
  EXPECT_TRUE(ended.ok()) << ended;
}

TcpListener NetTest::ListenOn(std::string_view address,
                              const ListenOptions& options) {
  return ValueOf(TcpListener::Listen(
      loop(), ValueOf(SocketAddress::Parse(address)), options));
}

std::string NetTest::PathOf(std::string_view name) {
  if (directory_.empty()) directory_ = system().Directory();
  return absl::StrCat(directory_, "/", name);
}

std::string NetTest::UnixAddress(std::string_view name) {
  return absl::StrCat("unix:", PathOf(name));
}

std::string NetTest::Instantiation() {
  const std::string suite = ::testing::UnitTest::GetInstance()
                                ->current_test_info()
                                ->test_suite_name();
  return suite.substr(0, suite.find('/'));
}

}  // namespace ringway::net::testing
