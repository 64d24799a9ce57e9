// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/engine_pair.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::net::testing {

using internal::TlsEngine;
using internal::TlsStep;

namespace {

std::shared_ptr<const internal::LoadedContext> LoadedOf(
    const TlsContext& context) {
  return internal::TlsContextAccess::Of(context).loaded();
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void EngineEnd::Send(std::string_view text) {
  if (engine_->kernel_encrypts()) {
    sent_by_kernel_ += Encrypted();
    sent_by_kernel_ += kernel_->Encrypt(FakeKernelTls::kData, text);
    return;
  }
  const TlsStep step = engine_->Write(std::as_bytes(std::span(text)));
  RINGWAY_CHECK(step == TlsStep::kDone, "%s", error().ToString().c_str());
}

std::string EngineEnd::TakeOutput() {
  std::string taken = std::exchange(sent_by_kernel_, std::string());
  return taken + Encrypted();
}

std::string EngineEnd::Encrypted() {
  std::string encrypted(AsText(engine_->output().bytes()));
  if (std::optional<internal::KernelKeys> keys = engine_->TakeKernelKeys())
    kernel_.emplace(*keys);
  std::span<const std::byte> records = engine_->output().records();
  while (!records.empty()) {
    const internal::PlainRecord record =
        internal::OutputBuffer::TakeRecord(records);
    encrypted += kernel_->Encrypt(record.type, AsText(record.bytes));
  }
  engine_->output().Clear();
  return encrypted;
}

void EngineEnd::Deliver(std::string_view bytes) {
  unused_.append(bytes);
  Step();
}

void EngineEnd::DeliverEnd() {
  engine_->EndInput();
  Step();
}

void EngineEnd::Step() {
  engine_->SetInput(std::as_bytes(std::span(unused_)));
  if (!engine_->handshake_done()) step_ = engine_->Handshake();
  std::array<std::byte, 20'000> to;
  while (engine_->handshake_done()) {
    size_t n = 0;
    step_ = engine_->Read(to, n);
    if (step_ != TlsStep::kDone) break;
    plaintext_.append(reinterpret_cast<const char*>(to.data()), n);
  }
  unused_.erase(0, unused_.size() - engine_->input().size());
  engine_->SetInput({});
}

EnginePair::EnginePair(const TlsContext& server, const TlsContext& client,
                       const std::string& host)
    : server_context_(LoadedOf(server)),
      client_context_(LoadedOf(client)),
      server_(server_context_->MakeServerEngine()),
      client_(*client_context_->MakeClientEngine(host, host)) {}

void EnginePair::Exchange(size_t piece) {
  std::string_view rest;
  const std::string from_client = client_.TakeOutput();
  for (rest = from_client; !rest.empty();) {
    const size_t n = std::min(piece, rest.size());
    server_.Deliver(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  const std::string from_server = server_.TakeOutput();
  for (rest = from_server; !rest.empty();) {
    const size_t n = std::min(piece, rest.size());
    client_.Deliver(rest.substr(0, n));
    rest.remove_prefix(n);
  }
}

bool EnginePair::Handshake(size_t piece) {
  client_.Deliver("");
  while (!client_.engine().output().empty() ||
         !server_.engine().output().empty()) {
    Exchange(piece);
  }
  return client_.engine().handshake_done() && server_.engine().handshake_done();
}

}  // namespace ringway::net::testing
