// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/fuzz/tls_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/seeded_random.h"
#include "ringway/net/tls/testing/test_certificates.h"

namespace ringway::fuzz {
namespace {

using net::internal::TlsStep;
using net::testing::EngineEnd;
using net::testing::EnginePair;

// Made once: what a run changes of them is the sessions, which are off.
const net::TlsContext& ServerContext(bool tls13) {
  static const auto make = [](net::TlsVersion version) {
    net::TlsServerOptions options = net::testing::TestServerOptions();
    options.max_version = version;
    options.tickets = false;
    return net::testing::MakeServer(options);
  };
  static const net::TlsContext tls12_context = make(net::TlsVersion::kTls12);
  static const net::TlsContext tls13_context = make(net::TlsVersion::kTls13);
  return tls13 ? tls13_context : tls12_context;
}

const net::TlsContext& ClientContext() {
  static const net::TlsContext context = [] {
    net::TlsClientOptions options = net::testing::TestClientOptions();
    options.session_cache_size = 0;
    return net::testing::MakeClient(options);
  }();
  return context;
}

class Run {
 public:
  explicit Run(std::string_view script)
      : script_(script),
        random_(1),
        pair_(ServerContext(Next() % 2 == 0), ClientContext()) {
    pair_.client().Deliver("");
  }

  bool Play() {
    while (!script_.empty()) {
      Step(Next());
      Check(client_);
      Check(server_);
    }
    return pair_.client().engine().handshake_done() &&
           pair_.server().engine().handshake_done();
  }

 private:
  struct Side {
    Side(EngineEnd& e, Side& o) : end(e), other(o) {}
    EngineEnd& end;
    Side& other;
    std::string unsent;   // output that the other side has not got
    std::string written;  // plaintext
    std::string kept;     // that of a record in place, which has left
    bool shut_down = false;
    bool failed = false;
  };

  uint8_t Next() {
    if (script_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(script_[0]);
    script_.remove_prefix(1);
    return byte;
  }

  void Step(uint8_t command) {
    Side& from = command % 2 == 0 ? client_ : server_;
    from.unsent += from.end.TakeOutput();
    switch (command / 2 % 8) {
      case 0:
      case 1:  // everything
        Pass(from, from.unsent.size());
        break;
      case 2:  // a part
        Pass(from, Next());
        break;
      case 3:  // with a byte changed
        if (!from.unsent.empty())
          from.unsent[Next() % from.unsent.size()] ^= static_cast<char>(Next());
        break;
      case 4:  // bytes of the script
        Insert(from, Next() % 32);
        break;
      case 5:
        Write(from, size_t{Next()} * Next());
        break;
      case 6:
        EndInPlace(from);
        if (from.end.engine().handshake_done() &&
            from.end.engine().Shutdown() == TlsStep::kDone) {
          from.shut_down = true;
        }
        break;
      case 7:
        if (Next() % 8 == 0) from.other.end.DeliverEnd();
        break;
      default:
        break;
    }
  }

  void Pass(Side& from, size_t n) {
    n = std::min(n, from.unsent.size());
    from.other.end.Deliver(from.unsent.substr(0, n));
    from.unsent.erase(0, n);
  }

  void Insert(Side& from, size_t n) {
    n = std::min(n, script_.size());
    from.unsent.insert(0, script_.substr(0, n));
    script_.remove_prefix(n);
  }

  void Write(Side& from, size_t n) {
    n = std::min(std::max<size_t>(n, 1),
                 net::internal::TlsEngine::kMostRecordBytes);
    if (!from.end.engine().handshake_done() || from.shut_down) return;
    EndInPlace(from);
    std::string text;
    for (size_t i = 0; i < n; ++i)
      text.push_back(static_cast<char>(from.written.size() + i * 7));
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    if (n % 2 == 0) {
      if (from.end.engine().Write(bytes) == TlsStep::kDone)
        from.written += text;
      return;
    }
    from.kept = text;
    if (from.end.engine().WriteInPlace(std::as_bytes(std::span(from.kept))) ==
        TlsStep::kDone) {
      from.written += text;
      from.unsent += from.end.TakeOutput();
    } else {
      from.kept.clear();
    }
  }

  // Steps later: the other side may have answered meanwhile.
  void EndInPlace(Side& side) {
    if (side.kept.empty()) return;
    side.end.engine().EndInPlace();
    side.unsent += side.end.TakeOutput();
    side.kept.clear();
  }

  static void Check(Side& side) {
    const std::string& read = side.end.plaintext();
    RINGWAY_CHECK(side.other.written.starts_with(read),
                  "read %zu bytes that were not written", read.size());
    const bool fails = side.end.step() == TlsStep::kFailed;
    RINGWAY_CHECK(!side.failed || fails, "a failure was not final");
    side.failed = fails;
    RINGWAY_CHECK(!fails || !side.end.error().ok(), "a failure has no error");
    RINGWAY_CHECK(side.end.step() != TlsStep::kEnd ||
                      (side.other.shut_down && read == side.other.written),
                  "an end that was not sent");
  }

  std::string_view script_;
  net::testing::SeededRandom random_;
  EnginePair pair_;
  Side client_{pair_.client(), server_};
  Side server_{pair_.server(), client_};
};

}  // namespace

bool CheckTlsScript(std::string_view script) { return Run(script).Play(); }

}  // namespace ringway::fuzz
