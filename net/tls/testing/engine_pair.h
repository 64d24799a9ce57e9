// SPDX-License-Identifier: Apache-2.0
//
// EnginePair: a client's and a server's engine, and the bytes between them.
//
//   EnginePair pair(MakeServer(), MakeClient());
//   ASSERT_TRUE(pair.Handshake());
//   pair.client().Send("hello");
//   EXPECT_EQ(pair.server().Receive(), "hello");

#ifndef RINGWAY_NET_TLS_TESTING_ENGINE_PAIR_H_
#define RINGWAY_NET_TLS_TESTING_ENGINE_PAIR_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/testing/fake_kernel_tls.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_context.h"

namespace ringway::net::testing {

// An engine, and what was sent to it.
class EngineEnd {
 public:
  explicit EngineEnd(std::unique_ptr<internal::TlsEngine> engine)
      : engine_(std::move(engine)) {}

  internal::TlsEngine& engine() { return *engine_; }
  SSL& ssl() { return engine_->ssl(); }

  // Encrypts `text` in one record, as the kernel would if that encrypts; aborts
  // if that fails.
  void Send(std::string_view text);
  // Everything that the engine has to send, which it then has no more.
  std::string TakeOutput();

  // Gives the engine `bytes` after those that it has not used. Runs its
  // handshake, or decrypts into plaintext(), until it wants more.
  void Deliver(std::string_view bytes);
  // No more will come.
  void DeliverEnd();

  // How the last step ended.
  internal::TlsStep step() const { return step_; }
  const absl::Status& error() const { return engine_->error(); }
  const std::string& plaintext() const { return plaintext_; }

 private:
  void Step();
  // What the engine has, encrypted.
  std::string Encrypted();

  std::unique_ptr<internal::TlsEngine> engine_;
  std::optional<FakeKernelTls> kernel_;
  std::string sent_by_kernel_;
  std::string unused_;
  std::string plaintext_;
  internal::TlsStep step_ = internal::TlsStep::kWantInput;
};

class EnginePair {
 public:
  EnginePair(const TlsContext& server, const TlsContext& client,
             const std::string& host = kTestHost);

  EngineEnd& server() { return server_; }
  EngineEnd& client() { return client_; }

  // Passes bytes on, in pieces of `piece`, until nothing is left. True if both
  // handshakes are done.
  bool Handshake(size_t piece = SIZE_MAX);
  // The same for one step of each side.
  void Exchange(size_t piece = SIZE_MAX);

  // Of one, passed to the other.
  void FromClient() { server_.Deliver(client_.TakeOutput()); }
  void FromServer() { client_.Deliver(server_.TakeOutput()); }

 private:
  const std::shared_ptr<const internal::LoadedContext> server_context_;
  const std::shared_ptr<const internal::LoadedContext> client_context_;
  EngineEnd server_;
  EngineEnd client_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_ENGINE_PAIR_H_
