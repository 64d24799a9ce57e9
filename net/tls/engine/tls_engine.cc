// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/tls_engine.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/err.h"
#include "ringway/core/check.h"

namespace ringway::net::internal {

namespace {

// What OpenSSL asks a BIO when the kernel may encrypt. Of openssl/bio.h, which
// reserves the numbers of the first and third in a comment.
constexpr int kSetKernelKeys = 72;
constexpr int kGetKernelSends = BIO_CTRL_GET_KTLS_SEND;
constexpr int kSetRecordType = 74;

// RFC 8446, sections 5.1 and 6.
constexpr uint8_t kAlertRecord = 21;
constexpr std::byte kFatalAlert{2};
constexpr std::byte kInternalError{80};

}  // namespace

// OpenSSL's view of input and output.
struct EngineBio {
  static TlsEngine& Engine(BIO* bio) {
    return *static_cast<TlsEngine*>(BIO_get_data(bio));
  }

  static int Read(BIO* bio, char* to, size_t n_bytes, size_t* n_read) {
    TlsEngine& engine = Engine(bio);
    BIO_clear_retry_flags(bio);
    *n_read = std::min(n_bytes, engine.input_.size());
    if (*n_read == 0) {
      if (engine.input_ended_) {
        engine.truncated_ = true;
      } else {
        BIO_set_retry_read(bio);
      }
      return 0;
    }
    memcpy(to, engine.input_.data(), *n_read);
    engine.CountRecords(engine.input_.first(*n_read));
    engine.input_ = engine.input_.subspan(*n_read);
    return 1;
  }

  static int Write(BIO* bio, const char* bytes, size_t n_bytes,
                   size_t* n_written) {
    TlsEngine& engine = Engine(bio);
    BIO_clear_retry_flags(bio);
    *n_written = 0;
    const std::span<const std::byte> output =
        std::as_bytes(std::span(bytes, n_bytes));
    switch (engine.in_place_) {
      case TlsEngine::InPlace::kWanted:
        engine.in_place_ = TlsEngine::InPlace::kKept;
        engine.output_ = OutputBuffer::InPlace(output);
        BIO_set_retry_write(bio);
        return 0;
      case TlsEngine::InPlace::kSent:
        engine.in_place_ = TlsEngine::InPlace::kNo;
        *n_written = n_bytes;
        return 1;
      case TlsEngine::InPlace::kNo:
      case TlsEngine::InPlace::kKept:
        break;
    }
    try {
      if (engine.kernel_encrypts_) {
        engine.output_.AppendRecord(
            {.type = engine.record_type_, .bytes = output});
      } else {
        engine.output_.Append(output);
      }
    } catch (const std::bad_alloc&) {
      engine.no_memory_ = true;
      return 0;
    }
    *n_written = n_bytes;
    return 1;
  }

  static long Control(BIO* bio, int command, long number,  // NOLINT
                      void* pointer) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return Engine(bio).input_ended_ ? 1 : 0;
      case kSetKernelKeys:
        // `number` is not 0 for sending.
        return number != 0 && Engine(bio).StartKernel(pointer) ? 1 : 0;
      case kGetKernelSends:
        return Engine(bio).kernel_encrypts_ ? 1 : 0;
      case kSetRecordType:
        Engine(bio).record_type_ = static_cast<uint8_t>(number);
        return 1;
      default:
        return 0;
    }
  }

  static BIO_METHOD* MakeMethod() {
    BIO_METHOD* method = BIO_meth_new(
        BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ringway engine");
    RINGWAY_CHECK(method != nullptr, "OpenSSL has no memory for a BIO method");
    BIO_meth_set_read_ex(method, &Read);
    BIO_meth_set_write_ex(method, &Write);
    BIO_meth_set_ctrl(method, &Control);
    return method;
  }

  static BIO* Make(TlsEngine& engine) {
    static BIO_METHOD* const method = MakeMethod();
    BIO* bio = BIO_new(method);
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &engine);
    BIO_set_init(bio, 1);
    return bio;
  }
};

namespace {

// As ERR_clear_error(), which goes through all that a queue has room for.
void ForgetErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

int EngineIndex() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsEngine::TlsEngine(SSL_CTX& context, TlsSide side) {
  const OpenSslOrder order;
  ssl_.reset(SSL_new(&context));
  if (ssl_ == nullptr) {
    ERR_clear_error();
    throw std::bad_alloc();
  }
  BIO* bio = EngineBio::Make(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_ex_data(ssl_.get(), EngineIndex(), this);
  if (side == TlsSide::kServer) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

TlsEngine& TlsEngine::Of(const SSL& ssl) {
  return *static_cast<TlsEngine*>(SSL_get_ex_data(&ssl, EngineIndex()));
}

void TlsEngine::OfferKernel(KernelCiphers ciphers) {
  if (ciphers.empty()) return;
  kernel_ciphers_ = ciphers;
  SSL_set_options(ssl_.get(), SSL_OP_ENABLE_KTLS);
}

bool TlsEngine::StartKernel(const void* crypto_info) {
  if (kernel_encrypts_) return false;
  std::optional<KernelKeys> keys = KernelKeys::Copy(crypto_info);
  if (!keys.has_value() || !kernel_ciphers_.Contains(keys->cipher()))
    return false;
  kernel_keys_ = std::move(keys);
  kernel_encrypts_ = true;
  return true;
}

// OpenSSL would send the answer with the next data, of which it sends none, and
// take new keys that the kernel does not know of. Before Linux 6.14 the kernel
// could not take them.
TlsStep TlsEngine::RefuseNewKeys() {
  try {
    const std::array<std::byte, 2> alert = {kFatalAlert, kInternalError};
    output_.AppendRecord({.type = kAlertRecord, .bytes = alert});
  } catch (const std::bad_alloc&) {
    no_memory_ = true;  // then without an alert
  }
  return Fail(absl::UnimplementedError(
      "the peer asks for new keys, which the kernel does not take "
      "(TlsProtocolOptions::kernel_tls)"));
}

void TlsEngine::CountRecords(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (body_bytes_left_ > 0) {
      const size_t n = std::min<size_t>(body_bytes_left_, bytes.size());
      body_bytes_left_ -= static_cast<uint32_t>(n);
      bytes = bytes.subspan(n);
      continue;
    }
    header_[header_bytes_++] = static_cast<uint8_t>(bytes[0]);
    bytes = bytes.subspan(1);
    if (header_bytes_ < kHeaderBytes) continue;
    header_bytes_ = 0;
    body_bytes_left_ = uint32_t{header_[3]} << 8 | header_[4];
  }
}

size_t TlsEngine::FrontRecordBytes() const {
  if (header_bytes_ > 0 || body_bytes_left_ > 0) return 0;
  if (input_.size() < kHeaderBytes) return 0;
  const size_t n = kHeaderBytes + (static_cast<size_t>(input_[3]) << 8 |
                                   static_cast<size_t>(input_[4]));
  return n <= input_.size() ? n : 0;
}

size_t TlsEngine::DecryptedBytes() const {
  const int n = SSL_pending(ssl_.get());
  return n > 0 ? static_cast<size_t>(n) : 0;
}

TlsStep TlsEngine::Handshake() {
  if (read_failed_) return TlsStep::kFailed;
  // A server has nothing to say first.
  if (SSL_in_before(ssl_.get()) == 1 && SSL_is_server(ssl_.get()) == 1 &&
      input_.empty() && !input_ended_) {
    return TlsStep::kWantInput;
  }
  const OpenSslOrder order;
  ForgetErrors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    handshake_done_ = true;
    return TlsStep::kDone;
  }
  const TlsStep step = EndOf(result);
  // An end within a handshake is none that the peer has agreed to.
  if (step == TlsStep::kEnd)
    return Fail(absl::AbortedError("the peer ended the handshake"));
  return step;
}

bool TlsEngine::FinishedBeforeOutput() const {
  return SSL_is_server(ssl_.get()) == 1 &&
         SSL_version(ssl_.get()) >= TLS1_3_VERSION;
}

TlsStep TlsEngine::Read(std::span<std::byte> to, size_t& n) {
  n = 0;
  if (read_ended_) return TlsStep::kEnd;
  if (read_failed_) return TlsStep::kFailed;
  if (NewKeysAsked()) return RefuseNewKeys();
  // OpenSSL would find that out at length, for each message.
  if (input_.empty() && !input_ended_ && DecryptedBytes() == 0)
    return TlsStep::kWantInput;
  const OpenSslOrder order;
  ForgetErrors();
  const int result = SSL_read_ex(ssl_.get(), to.data(), to.size(), &n);
  if (result == 1) return TlsStep::kDone;
  n = 0;
  const TlsStep step = EndOf(result);
  return step == TlsStep::kWantInput && NewKeysAsked() ? RefuseNewKeys() : step;
}

TlsStep TlsEngine::Write(std::span<const std::byte> bytes) {
  RINGWAY_CHECK(!kernel_encrypts_, "the kernel encrypts data");
  if (write_failed_) return TlsStep::kFailed;
  const OpenSslOrder order;
  ForgetErrors();
  size_t n_written = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n_written) == 1 &&
      n_written == bytes.size()) {
    return TlsStep::kDone;
  }
  if (in_place_ == InPlace::kKept) return TlsStep::kDone;
  write_failed_ = true;
  error_ = TakeError();
  return TlsStep::kFailed;
}

TlsStep TlsEngine::WriteInPlace(std::span<const std::byte> bytes) {
  RINGWAY_CHECK(output_.empty() && !kernel_encrypts_,
                "there is other output, or the kernel makes it");
  in_place_ = InPlace::kWanted;
  in_place_plain_ = bytes;
  return Write(bytes);
}

void TlsEngine::EndInPlace() {
  in_place_ = InPlace::kSent;
  Write(in_place_plain_);
}

TlsStep TlsEngine::Shutdown() {
  if (shut_down_) return TlsStep::kDone;
  if (write_failed_) return TlsStep::kFailed;
  const OpenSslOrder order;
  ForgetErrors();
  if (SSL_shutdown(ssl_.get()) < 0) {
    write_failed_ = true;
    error_ = TakeError();
    return TlsStep::kFailed;
  }
  shut_down_ = true;
  return TlsStep::kDone;
}

bool TlsEngine::TakePause() {
  if (pause_ != Pause::kWanted) return false;
  pause_ = Pause::kTaken;
  return true;
}

TlsStep TlsEngine::EndOf(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      ForgetErrors();
      return TlsStep::kWantInput;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      ForgetErrors();
      return TlsStep::kPaused;
    case SSL_ERROR_ZERO_RETURN:
      ForgetErrors();
      read_ended_ = true;
      return TlsStep::kEnd;
    default:
      return Fail(TakeError());
  }
}

TlsStep TlsEngine::Fail(absl::Status error) {
  // OpenSSL sends nothing after a fatal error either.
  read_failed_ = true;
  write_failed_ = true;
  error_ = std::move(error);
  return TlsStep::kFailed;
}

// Verification is asked about first: the reason in the queue only says that it
// failed.
absl::Status TlsEngine::TakeError() {
  const unsigned long code = ERR_peek_error();  // NOLINT(google-runtime-int)
  const int reason = ERR_GET_REASON(code);
  const bool of_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
  std::string text = TakeOpenSslError();
  if (no_memory_ || reason == ERR_R_MALLOC_FAILURE)
    return absl::ResourceExhaustedError("no memory");
  if (of_ssl && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return absl::UnauthenticatedError(verify_error_.empty() ? text
                                                            : verify_error_);
  }
  if (of_ssl && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return absl::UnauthenticatedError("the peer has sent no certificate");
  if (of_ssl && reason > SSL_AD_REASON_OFFSET &&
      reason < SSL_AD_REASON_OFFSET + 256) {
    return absl::AbortedError(absl::StrCat(
        "the peer sent the alert \"",
        SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET), "\""));
  }
  if (truncated_)
    return absl::DataLossError("truncated: the end came without close_notify");
  if (text.empty()) text = "unknown error";
  return absl::AbortedError(absl::StrCat("protocol error: ", text));
}

}  // namespace ringway::net::internal
