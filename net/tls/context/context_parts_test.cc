// SPDX-License-Identifier: Apache-2.0
//
// The parts of a TlsContext by themselves.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/tls/context/client_hello.h"
#include "ringway/net/tls/context/server_names.h"
#include "ringway/net/tls/context/session_cache.h"
#include "ringway/net/tls/context/ticket_keys.h"

namespace ringway::net::internal {
namespace {

constexpr int kRsa = 1;
constexpr int kEcdsa = 2;

NamedCertificate Named(std::vector<std::string> names, int key_type) {
  NamedCertificate certificate;
  certificate.names = std::move(names);
  certificate.key_type = key_type;
  return certificate;
}

TEST(ServerNames, ExactNamesComeBeforeWildcards) {
  const ServerNames names({Named({"default.test"}, kEcdsa),
                           Named({"*.example.test"}, kEcdsa),
                           Named({"WWW.example.test"}, kEcdsa)});
  const auto certificate_of = [&](std::string_view name) {
    return names.groups()[names.GroupOf(name)][0];
  };
  EXPECT_EQ(certificate_of("www.example.test"), 2u);
  EXPECT_EQ(certificate_of("www.example.test."), 2u);
  EXPECT_EQ(certificate_of("Other.Example.Test"), 1u);
  EXPECT_EQ(certificate_of("example.test"), 0u);
  EXPECT_EQ(certificate_of("a.b.example.test"), 0u);
  EXPECT_EQ(certificate_of("nodots"), 0u);
  EXPECT_EQ(certificate_of(""), 0u);
}

TEST(ServerNames, AGroupHasOneCertificateOfEachKindOfKey) {
  const ServerNames names({Named({"a.test", "b.test"}, kEcdsa),
                           Named({"a.test"}, kRsa), Named({"a.test"}, kRsa),
                           Named({"c.test"}, kRsa)});
  EXPECT_EQ(names.groups()[names.GroupOf("a.test")],
            (std::vector<size_t>{0, 1}));
  EXPECT_EQ(names.groups()[names.GroupOf("b.test")], std::vector<size_t>{0});
  EXPECT_EQ(names.groups()[names.GroupOf("c.test")], std::vector<size_t>{3});
  // That of the first name.
  EXPECT_EQ(names.GroupOf("unknown.test"), names.GroupOf("a.test"));
}

TEST(ServerNames, ACertificateWithoutNamesIsTheDefault) {
  const ServerNames names({Named({}, kRsa), Named({"a.test"}, kRsa)});
  EXPECT_EQ(names.groups()[names.GroupOf("x.test")], std::vector<size_t>{0});
  EXPECT_EQ(names.groups()[names.GroupOf("a.test")], std::vector<size_t>{1});
}

// --- A client's hello

TEST(ClientHello, FindsTheHost) {
  const std::array<uint8_t, 9> extension = {0, 7, 0, 0, 4, 'a', '.', 'b', 'c'};
  EXPECT_EQ(HostInExtension(extension), "a.bc");
  // Cut anywhere it is empty or a part, and nothing beyond it is read.
  for (size_t n = 0; n < extension.size(); ++n) {
    const std::vector<uint8_t> cut(extension.begin(), extension.begin() + n);
    EXPECT_TRUE(std::string_view("a.bc").starts_with(HostInExtension(cut)));
  }
}

TEST(ClientHello, KnowsEcdsa) {
  const std::array<uint8_t, 6> both = {0, 4, 8, 4, 4, 3};
  const std::array<uint8_t, 4> rsa = {0, 2, 8, 4};
  EXPECT_TRUE(AcceptsEcdsa(both));
  EXPECT_FALSE(AcceptsEcdsa(rsa));
  EXPECT_FALSE(AcceptsEcdsa({}));
  EXPECT_FALSE(AcceptsEcdsa(std::span(both).first(5)));
}

// --- Tickets

TEST(TicketKeys, AKeyEncryptsForALifetimeAndDecryptsForTwo) {
  const absl::Duration lifetime = absl::Hours(1);
  const absl::Time start = absl::UnixEpoch();
  TicketKeys keys(lifetime);
  const TicketKey first = *keys.Current(start);
  EXPECT_EQ(keys.Current(start + 0.9 * lifetime)->name, first.name);
  EXPECT_FALSE(keys.Find(first.name, start + 0.9 * lifetime)->outdated);

  const TicketKey second = *keys.Current(start + lifetime);
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.aes, first.aes);
  EXPECT_TRUE(keys.Find(first.name, start + 1.5 * lifetime)->outdated);
  EXPECT_FALSE(keys.Find(first.name, start + 2 * lifetime).has_value());

  static_cast<void>(keys.Current(start + 2 * lifetime));
  static_cast<void>(keys.Current(start + 3 * lifetime));
  EXPECT_FALSE(keys.Find(second.name, start + 3 * lifetime).has_value());
  const std::array<uint8_t, 16> unknown = {};
  EXPECT_FALSE(keys.Find(unknown, start).has_value());
}

// --- Sessions of a client

SslSessionPtr SessionOf(int version) {
  SslSessionPtr session(SSL_SESSION_new());
  SSL_SESSION_set_protocol_version(session.get(), version);
  return session;
}

TEST(SessionCache, GivesTheNewestOfAServerOnce) {
  SessionCache cache(10);
  SslSessionPtr older = SessionOf(TLS1_3_VERSION);
  SslSessionPtr newer = SessionOf(TLS1_3_VERSION);
  const SSL_SESSION* const first = newer.get();
  const SSL_SESSION* const second = older.get();
  cache.Store("a", std::move(older));
  cache.Store("a", std::move(newer));
  EXPECT_EQ(cache.Take("b"), nullptr);
  EXPECT_EQ(cache.Take("a").get(), first);
  EXPECT_EQ(cache.Take("a").get(), second);
  EXPECT_EQ(cache.Take("a"), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(SessionCache, OneOfTls12IsGivenOften) {
  SessionCache cache(10);
  cache.Store("a", SessionOf(TLS1_2_VERSION));
  EXPECT_NE(cache.Take("a"), nullptr);
  EXPECT_NE(cache.Take("a"), nullptr);
  cache.Clear();
  EXPECT_EQ(cache.Take("a"), nullptr);
}

TEST(SessionCache, IsBounded) {
  SessionCache cache(3);
  for (const char* server : {"a", "b", "c", "d"})
    cache.Store(server, SessionOf(TLS1_3_VERSION));
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_EQ(cache.Take("a"), nullptr);
  EXPECT_NE(cache.Take("b"), nullptr);

  SessionCache large(100);
  for (size_t i = 0; i < 2 * SessionCache::kMostOfOneServer; ++i)
    large.Store("a", SessionOf(TLS1_3_VERSION));
  EXPECT_EQ(large.size(), SessionCache::kMostOfOneServer);

  SessionCache off(0);
  off.Store("a", SessionOf(TLS1_3_VERSION));
  EXPECT_EQ(off.size(), 0u);
}

}  // namespace
}  // namespace ringway::net::internal
