// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/resolver/system_resolver.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"

namespace ringway::net {
namespace {

using Addresses = absl::StatusOr<std::vector<SocketAddress>>;

class SystemResolverTest : public TaskTest {
 protected:
  Task<Addresses> Ask(std::string host, uint16_t port) {
    Task<Addresses> resolve = resolver_->Resolve(std::move(host), port);
    co_return co_await std::move(resolve);
  }

  const std::unique_ptr<SystemResolver> resolver_ = *SystemResolver::Create();
};

RINGWAY_KERNEL_TEST_F(SystemResolverTest, ANumericAddressNeedsNoLookUp) {
  for (const char* host : {"127.0.0.1", "::1", "10.1.2.3"}) {
    const Addresses found = co_await Ask(host, 80);
    RINGWAY_ASSERT_OK(found);
    EXPECT_EQ(*found,
              std::vector<SocketAddress>(1, *SocketAddress::Ip(host, 80)));
  }
  EXPECT_EQ(resolver_->stats().asked, 0u);
}

RINGWAY_KERNEL_TEST_F(SystemResolverTest, AnExecutorMayHaveItsOwn) {
  const std::shared_ptr<SystemResolver> own = *SystemResolver::Create();
  SetResolver(executor(), own);
  EXPECT_TRUE((co_await ringway::Resolve("localhost", 80)).ok());
  EXPECT_EQ(own->stats().asked, 1u);
  SetResolver(executor(), nullptr);
  EXPECT_TRUE((co_await ringway::Resolve("localhost", 80)).ok());
  EXPECT_EQ(own->stats().asked, 1u);
  own->End();
  EXPECT_TRUE(
      absl::IsUnavailable((co_await own->Resolve("localhost", 80)).status()));
  EXPECT_EQ(own->stats().refused, 1u);
}

RINGWAY_KERNEL_TEST_F(SystemResolverTest, AddressesHaveThePort) {
  const Addresses found = co_await Ask("localhost", 4'711);
  RINGWAY_ASSERT_OK(found);
  for (const SocketAddress& address : *found) {
    EXPECT_EQ(address.port(), 4'711);
    EXPECT_TRUE(address.is_loopback()) << address.ToString();
  }
  EXPECT_EQ(resolver_->stats().asked, 1u);
}

RINGWAY_KERNEL_TEST_F(SystemResolverTest, WhatIsNoHostIsAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument((co_await Ask("", 1)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      (co_await Ask(std::string("a\0b", 3), 1)).status()));
  EXPECT_FALSE((co_await Ask(std::string(64, 'x') + ".invalid", 1)).ok());
}

RINGWAY_KERNEL_TEST_F(SystemResolverTest, AnAddressHasAName) {
  Task<absl::StatusOr<std::string>> name =
      resolver_->NameOf(*SocketAddress::Parse("127.0.0.1:80"));
  const absl::StatusOr<std::string> found = co_await std::move(name);
  RINGWAY_ASSERT_OK(found);
  EXPECT_FALSE(found->empty());
  Task<absl::StatusOr<std::string>> none =
      resolver_->NameOf(*SocketAddress::Parse("unix:/x"));
  EXPECT_TRUE(absl::IsInvalidArgument((co_await std::move(none)).status()));
}

RINGWAY_KERNEL_TEST_F(SystemResolverTest, ConnectsToAHostByItsName) {
  TcpListener listener =
      *TcpListener::Listen(*SocketAddress::Parse("127.0.0.1:0"));
  const uint16_t port = listener.LocalAddress()->port();
  Task<absl::StatusOr<TcpStream>> connect =
      ConnectToHost(*resolver_, "localhost", port);
  const absl::StatusOr<TcpStream> stream =
      co_await WithTimeout(absl::Seconds(30), std::move(connect));
  RINGWAY_ASSERT_OK(stream);
  const Addresses found = co_await ringway::Resolve("localhost", port);
  EXPECT_TRUE(found.ok()) << found.status();
  for (const char* host : {"localhost", "127.0.0.1"}) {
    Task<absl::StatusOr<TcpStream>> by_name = Connect(host, port);
    const absl::StatusOr<TcpStream> other =
        co_await WithTimeout(absl::Seconds(30), std::move(by_name));
    RINGWAY_ASSERT_OK(other);
  }
}

}  // namespace
}  // namespace ringway::net
