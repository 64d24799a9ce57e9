// SPDX-License-Identifier: Apache-2.0
//
// TlsEngine: one end of a TLS connection without I/O: bytes that arrived go in,
// bytes to be sent come out.
//
//   engine.SetInput(arrived);
//   size_t n = 0;
//   switch (engine.Read(to, n)) { ... }       // decrypts into `to`
//   Send(engine.output().bytes());            // alerts, replies
//
// It does not know sockets, loops or time, so every state of the protocol is
// tested without them.

#ifndef RINGWAY_NET_TLS_ENGINE_TLS_ENGINE_H_
#define RINGWAY_NET_TLS_ENGINE_TLS_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ringway/net/tls/engine/handles.h"
#include "ringway/net/tls/engine/output_buffer.h"
#include "ringway/net/tls/kernel/kernel_keys.h"

namespace ringway::net::internal {

// How a step ended.
enum class TlsStep : uint8_t {
  kDone,
  kWantInput,  // all input is used; more has to arrive
  kEnd,        // the peer has sent close_notify
  kPaused,     // a handshake that stopped at PauseAtHello(): call it again
  kFailed,     // see error(); so do all later steps of that direction
};

enum class TlsSide : uint8_t { kClient, kServer };

// May be used on any thread, one at a time.
class TlsEngine {
 public:
  // The most plaintext of one record (RFC 8446, section 5.1), and the most that
  // encryption adds to it (CBC ciphers of TLS 1.2).
  static constexpr size_t kMostRecordBytes = size_t{16} << 10;
  static constexpr size_t kMostOverheadBytes = 5 + 320;

  // Throws std::bad_alloc.
  TlsEngine(SSL_CTX& context, TlsSide side);
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // The engine of `ssl`, for callbacks.
  static TlsEngine& Of(const SSL& ssl);

  // --- Input and output.

  // The next bytes, which are read from where they are until they are used or
  // replaced. What is left of earlier ones is forgotten.
  void SetInput(std::span<const std::byte> bytes) { input_ = bytes; }
  // What is left of it.
  std::span<const std::byte> input() const { return input_; }
  // No more input will come. Without a close_notify before, reading ends with
  // DataLoss.
  void EndInput() { input_ended_ = true; }

  // The bytes that the record at the front of input() has, or 0: it is not all
  // there, or input() does not begin with a record.
  size_t FrontRecordBytes() const;
  // Plaintext of a record that was decrypted and not read whole.
  size_t DecryptedBytes() const;

  // What is to be sent. The caller takes it, sends it and gives the memory
  // back.
  OutputBuffer& output() { return output_; }

  // --- Steps. None waits.

  TlsStep Handshake();
  // Decrypts up to `to.size()` bytes, at least one. Puts their number in `n`.
  TlsStep Read(std::span<std::byte> to, size_t& n);
  // Encrypts `bytes`, 1 to kMostRecordBytes, as one record: kDone or kFailed.
  TlsStep Write(std::span<const std::byte> bytes);
  // The same, but the record stays where OpenSSL has made it, without a copy:
  // output() is that memory, valid until EndInPlace(). The caller sends it
  // whole and calls that, before anything else is written; it may read
  // meanwhile. Requires an empty output().
  TlsStep WriteInPlace(std::span<const std::byte> bytes);
  // The output was sent. There may be more: if something was due before the
  // record, such as a key update, then the record.
  void EndInPlace();
  // Sends close_notify: kDone or kFailed. Reading goes on.
  TlsStep Shutdown();

  // --- Encryption by the kernel.

  // Before the handshake: from some point of it on the kernel encrypts what is
  // sent, if one of `ciphers` is agreed on, and OpenSSL has that built in.
  void OfferKernel(KernelCiphers ciphers);
  // True from that point on. The output is then records; data is to be sent
  // past the engine, without Write().
  bool kernel_encrypts() const { return kernel_encrypts_; }
  // Once, when that point has come: the keys, which the kernel gets between
  // output().bytes() and output().records().
  std::optional<KernelKeys> TakeKernelKeys() {
    return std::exchange(kernel_keys_, std::nullopt);
  }

  // Of the step that failed last, without text about who called it:
  // Unauthenticated  a certificate was not accepted; with the reason and name
  // DataLoss         the input has ended without a close_notify
  // Aborted          the peer sent an alert, or broke the protocol
  // ResourceExhausted no memory
  // Unimplemented    the peer asks for new keys, of which the kernel has none
  const absl::Status& error() const { return error_; }

  // Whether the peer's handshake was over before it gets the output of the step
  // that ended this one: session tickets of a server of TLS 1.3, for which
  // nobody waits, and which a client that has closed can do without.
  bool FinishedBeforeOutput() const;

  bool handshake_done() const { return handshake_done_; }
  bool shut_down() const { return shut_down_; }

  // --- For the callbacks of a context.

  // The next Handshake() of a server stops once it has read a client's hello
  // that needs an expensive signature (TakePause()), so that the next step can
  // be made on another thread.
  void PauseAtHello() { pause_ = Pause::kWanted; }
  // True once: the handshake shall stop now.
  bool TakePause();
  // What error() says of the peer's certificate.
  void SetVerifyError(std::string text) { verify_error_ = std::move(text); }
  // The key of the client's cache of sessions; empty: none.
  void set_session_key(std::string key) { session_key_ = std::move(key); }
  const std::string& session_key() const { return session_key_; }

  SSL& ssl() const { return *ssl_; }

 private:
  friend struct EngineBio;
  enum class Pause : uint8_t { kNo, kWanted, kTaken };
  // OpenSSL keeps a record that could not be written, and offers it again.
  enum class InPlace : uint8_t { kNo, kWanted, kKept, kSent };

  // The end of OpenSSL's function with result `result`, which was not 1.
  TlsStep EndOf(int result);
  TlsStep Fail(absl::Status error);
  absl::Status TakeError();
  bool StartKernel(const void* crypto_info);
  // The peer asks for new keys, of the kernel.
  bool NewKeysAsked() const {
    return kernel_encrypts_ &&
           SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE;
  }
  TlsStep RefuseNewKeys();
  // The records in `bytes`, which were read.
  void CountRecords(std::span<const std::byte> bytes);

  std::span<const std::byte> input_;
  OutputBuffer output_;
  std::span<const std::byte> in_place_plain_;  // of WriteInPlace()
  SslPtr ssl_;
  absl::Status error_;
  std::string verify_error_;
  std::string session_key_;
  // Where reading is within a record.
  static constexpr size_t kHeaderBytes = 5;
  std::array<uint8_t, kHeaderBytes> header_ = {};
  uint32_t header_bytes_ = 0;
  uint32_t body_bytes_left_ = 0;
  bool input_ended_ = false;
  bool truncated_ = false;  // the input had ended when more was needed
  bool no_memory_ = false;
  bool handshake_done_ = false;
  bool shut_down_ = false;
  bool read_failed_ = false;
  bool write_failed_ = false;
  bool read_ended_ = false;
  Pause pause_ = Pause::kNo;
  InPlace in_place_ = InPlace::kNo;
  bool kernel_encrypts_ = false;
  uint8_t record_type_ = 0;  // of what OpenSSL writes next
  KernelCiphers kernel_ciphers_;
  std::optional<KernelKeys> kernel_keys_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_ENGINE_TLS_ENGINE_H_
