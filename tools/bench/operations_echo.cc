// SPDX-License-Identifier: Apache-2.0
//
// An echo server on operations alone: the backends and the loop, without tasks
// or streams. What these layers cost, beside the same server written by hand
// (tools/bench/peers).

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/tools/bench/peers/peer.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway {
namespace {

// Sends back what one connection sends; deletes itself at the end. One send at
// a time keeps the order.
class Connection {
 public:
  Connection(Loop& loop, int fd) : loop_(loop), fd_(fd) {}
  virtual ~Connection() = default;
  virtual void Begin() = 0;

 protected:
  // An operation that knows whose it is.
  template <typename Owner>
  struct Step : Operation {
    Step(Owner* o, Function on_done) : Operation(on_done), owner(o) {}
    static Owner& Of(Runnable& entry) {
      return *static_cast<Step&>(static_cast<Operation&>(entry)).owner;
    }
    Owner* owner;
  };

  Loop& loop_;
  const int fd_;
};

// Receives into a buffer of its own, and again when that is sent.
class OneshotConnection final : public Connection {
 public:
  using Connection::Connection;
  void Begin() override {
    PrepareRecv(receive_, fd_, buffer_);
    loop_.Start(receive_);
  }

 private:
  void OnReceived() {
    if (receive_.result <= 0) return End();
    unsent_ = std::span(buffer_).first(static_cast<size_t>(receive_.result));
    Send();
  }

  void Send() {
    PrepareSend(send_, fd_, unsent_, MSG_WAITALL);
    loop_.Start(send_);
  }

  void OnSent() {
    if (send_.result < 0) return End();
    unsent_ = unsent_.subspan(static_cast<size_t>(send_.result));
    unsent_.empty() ? Begin() : Send();
  }

  void End() {
    PrepareClose(close_, fd_);
    loop_.Start(close_);
  }

  using OwnStep = Step<OneshotConnection>;
  OwnStep receive_{this, [](Runnable& e) { OwnStep::Of(e).OnReceived(); }};
  OwnStep send_{this, [](Runnable& e) { OwnStep::Of(e).OnSent(); }};
  OwnStep close_{this, [](Runnable& e) { delete &OwnStep::Of(e); }};
  std::span<std::byte> unsent_;
  std::array<std::byte, 16 * 1024> buffer_;
};

// Receives into the backend's buffers and sends from where the bytes arrived.
class MultishotConnection final : public Connection {
 public:
  using Connection::Connection;
  void Begin() override {
    receive_.owner = this;
    PrepareRecvMultishot(receive_, fd_);
    loop_.Start(receive_);
  }

 private:
  void OnReceived() {
    if (!sending_) SendNext();
  }

  void SendNext() {
    if (failed_) loop_.backend().DropDeliveries(receive_);
    if (!loop_.backend().TakeDelivery(receive_, event_)) return EndIfDone();
    sending_ = true;
    unsent_ = std::span(event_.data, static_cast<size_t>(event_.result));
    Send();
  }

  void Send() {
    PrepareSend(send_, fd_, unsent_, MSG_WAITALL);
    loop_.Start(send_);
  }

  void OnSent() {
    failed_ = send_.result < 0;
    unsent_ = unsent_.subspan(failed_ ? unsent_.size()
                                      : static_cast<size_t>(send_.result));
    if (!unsent_.empty()) return Send();
    sending_ = false;
    loop_.backend().ReturnBuffer(event_.buffer_id);
    if (failed_) loop_.Cancel(receive_);
    SendNext();
  }

  void EndIfDone() {
    if (receive_.active() || close_.active()) return;
    PrepareClose(close_, fd_);
    loop_.Start(close_);
  }

  struct Receive : DeliveringOperation {
    using DeliveringOperation::DeliveringOperation;
    static MultishotConnection& Of(Runnable& entry) {
      auto& notice = static_cast<Notice&>(entry);
      return *static_cast<Receive*>(notice.operation)->owner;
    }
    MultishotConnection* owner = nullptr;
  };

  using OwnStep = Step<MultishotConnection>;
  Receive receive_{[](Runnable& e) { Receive::Of(e).OnReceived(); }};
  OwnStep send_{this, [](Runnable& e) { OwnStep::Of(e).OnSent(); }};
  OwnStep close_{this, [](Runnable& e) { delete &OwnStep::Of(e); }};
  Delivery event_;
  std::span<std::byte> unsent_;
  bool sending_ =
      false;  // from the send's start until OnSent() has seen its end
  bool failed_ = false;
};

// Accepts until it is stopped.
class Server {
 public:
  Server(Loop& loop, int listener, bool multishot)
      : loop_(loop), multishot_(multishot) {
    accept_.owner = this;
    PrepareAcceptMultishot(accept_, listener);
    loop_.Start(accept_);
  }

  ~Server() { loop_.backend().DropDeliveries(accept_); }

 private:
  struct Accept : DeliveringOperation {
    using DeliveringOperation::DeliveringOperation;
    Server* owner = nullptr;
  };

  static void OnAccepted(Runnable& entry) {
    auto& notice = static_cast<DeliveringOperation::Notice&>(entry);
    static_cast<Accept*>(notice.operation)->owner->OnAccepted();
  }

  void OnAccepted() {
    for (Delivery delivery; loop_.backend().TakeDelivery(accept_, delivery);) {
      Connection* connection;
      if (multishot_) {
        connection = new MultishotConnection(loop_, delivery.result);
      } else {
        connection = new OneshotConnection(loop_, delivery.result);
      }
      connection->Begin();
    }
    RINGWAY_CHECK(accept_.active(), "accept failed with errno %d",
                  -accept_.result);
  }

  Loop& loop_;
  const bool multishot_;
  Accept accept_{&OnAccepted};
};

// Connections that are open at the end are left to the end of the process, as
// the servers written by hand leave theirs.
int Serve(Loop& loop, int listener, int termination, bool multishot) {
  Server server(loop, listener, multishot);
  Operation terminated([](Runnable&) {});
  PreparePoll(terminated, termination, POLLIN);
  loop.Start(terminated);
  while (terminated.active()) loop.Turn(MonotonicTime::Infinite());
  loop.Quiesce();
  return 0;
}

}  // namespace
}  // namespace ringway

int main(int argc, char** argv) {
  std::string backend = "auto";
  std::string receive = "multishot";
  std::string listen = "127.0.0.1:7878";
  int pin = -1;
  ringway::CommandLine flags("operations_echo",
                             "an echo server without tasks or streams");
  flags.Add("listen", "address to listen on; port 0 lets the kernel choose",
            &listen);
  flags.Add("pin", "CPU to run on; -1 pins nothing", &pin, -1, 4095);
  flags.Add("backend", "auto, uring or epoll", &backend);
  flags.Add("receive",
            "multishot: into the backend's buffers; oneshot: into a buffer per "
            "connection",
            &receive);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  if (receive != "multishot" && receive != "oneshot")
    return flags.Complain("--receive is neither multishot nor oneshot");
  absl::StatusOr<ringway::BackendKind> kind =
      ringway::ParseBackendKind(backend);
  if (!kind.ok()) return flags.Complain(kind.status().message());

  const int listener = peer::ListenOn(argv[0], listen, pin);
  const int termination = peer::CatchTermination();
  fcntl(listener, F_SETFL, 0);  // backends wait by themselves

  ringway::LoopOptions options;
  options.backend.kind = *kind;
  absl::StatusOr<std::unique_ptr<ringway::Loop>> loop =
      ringway::Loop::Create(options);
  if (!loop.ok()) {
    fprintf(stderr, "operations_echo: %s\n", loop.status().ToString().c_str());
    return 1;
  }
  return ringway::Serve(**loop, listener, termination, receive == "multishot");
}
