// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/admin_handler.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check_option.h"
#include "ringway/core/metrics/metrics_text.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/runtime/admin/http_request.h"

namespace ringway {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";

using AdminReader = net::BufferedReader<net::StreamReader>;

struct Admin {
  AdminPages pages;
  AdminOptions options;
};

struct Answer {
  Answer(int c, std::string b, std::string_view t = kPlainText)
      : code(c), type(t), body(std::move(b)) {}

  int code;
  std::string_view type;
  std::string body;
};

std::string_view ReasonOf(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

Answer FailedAnswer(int code) {
  return Answer(code, absl::StrCat(ReasonOf(code), "\n"));
}

bool IsTemporary(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable ||
         code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDeadlineExceeded ||
         code == absl::StatusCode::kCancelled;
}

bool IsReady(const Admin& admin) {
  return admin.pages.ready == nullptr || admin.pages.ready();
}

Answer Index(const AdminPages& pages) {
  std::string body = "<!DOCTYPE html>\n<title>Server</title>\n<ul>\n";
  const auto add = [&](std::string_view path) {
    absl::StrAppend(&body, "<li><a href=\"/", path, "\">", path, "</a></li>\n");
  };
  if (pages.metrics != nullptr) add("metrics");
  add("healthz");
  add("readyz");
  if (pages.tasks != nullptr) add("tasks");
  body += "</ul>\n";
  return Answer(200, std::move(body), kHtml);
}

class AdminConnection {
 public:
  AdminConnection(net::TcpStream stream, std::shared_ptr<const Admin> admin)
      : admin_(std::move(admin)),
        stream_(std::move(stream)),
        in_(stream_.reader(), kMostAdminRequestBytes) {}

  Task<absl::Status> Serve();

 private:
  // The connection is over, with status_; there is nothing to answer.
  static constexpr int kOver = -1;

  // Reads the next request into request_. Returns 0, the status code of the
  // answer to a bad one, or kOver.
  Task<int> ReadRequest();
  // The end of a request that was not received; `begun` if its first line was.
  int CodeOf(const absl::Status& failed, bool begun);
  // The answer to request_.
  Task<Answer> MakeAnswer();
  Task<Answer> MakePage(const AdminPage& page, std::string_view type);
  Task<absl::Status> Send(const Answer& answer, bool with_body, bool last);

  const std::shared_ptr<const Admin> admin_;
  net::TcpStream stream_;
  AdminReader in_;
  internal::HttpRequest request_;
  absl::Status status_;
};

Task<absl::Status> AdminConnection::Serve() {
  bool last = false;
  while (!last) {
    const int code = co_await ReadRequest();
    if (code == kOver) break;
    Answer answer = FailedAnswer(code);
    if (code == 0) answer = co_await MakeAnswer();
    last = code != 0 || !request_.keeps_alive() || !IsReady(*admin_);
    const bool with_body = code != 0 || request_.method() != "HEAD";
    absl::Status sent = co_await Send(answer, with_body, last);
    if (!sent.ok()) {
      stream_.Reset();  // a part of the answer may be there
      co_return sent;
    }
  }
  if (!status_.ok()) co_return status_;
  // The client has its answer, or does not want it.
  (co_await stream_.CloseGracefully(admin_->options.response_timeout))
      .IgnoreError();
  co_return absl::OkStatus();
}

Task<int> AdminConnection::ReadRequest() {
  request_ = internal::HttpRequest();
  const MonotonicTime deadline = After(admin_->options.request_timeout);
  size_t bytes_left = kMostAdminRequestBytes;
  bool begun = false;
  while (bytes_left > 0) {
    absl::StatusOr<std::optional<std::string_view>> line =
        co_await WithDeadline(deadline, in_.ReadLine(bytes_left));
    if (!line.ok()) co_return CodeOf(line.status(), begun);
    if (!line->has_value()) co_return begun ? 400 : kOver;
    const std::string_view text = **line;
    bytes_left -= std::min(bytes_left, text.size() + 2);
    int code = 0;
    if (begun) {
      if (text.empty()) co_return request_.EndHeader();
      code = request_.AddHeaderLine(text);
    } else if (!text.empty()) {  // empty lines before it mean nothing
      code = request_.AddRequestLine(text);
      begun = true;
    }
    if (code != 0) co_return code;
  }
  co_return begun ? 431 : 414;
}

int AdminConnection::CodeOf(const absl::Status& failed, bool begun) {
  switch (failed.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      if (begun || in_.buffered_bytes() > 0) return 408;
      return kOver;
    case absl::StatusCode::kResourceExhausted:
      return begun ? 431 : 414;
    case absl::StatusCode::kOutOfRange:  // the stream ended within a line
      return 400;
    default:
      status_ = failed;
      return kOver;
  }
}

Task<Answer> AdminConnection::MakeAnswer() {
  if (request_.method() != "GET" && request_.method() != "HEAD")
    co_return FailedAnswer(405);
  const AdminPages& pages = admin_->pages;
  const std::string_view path = request_.path();
  if (path == "/") co_return Index(pages);
  if (path == "/healthz") co_return Answer(200, "ok\n");
  if (path == "/readyz") {
    co_return IsReady(*admin_) ? Answer(200, "ready\n")
                               : Answer(503, "not ready\n");
  }
  if (path == "/metrics" && pages.metrics != nullptr)
    co_return co_await MakePage(pages.metrics, kMetricsTextType);
  if (path == "/tasks" && pages.tasks != nullptr)
    co_return co_await MakePage(pages.tasks, kPlainText);
  co_return FailedAnswer(404);
}

Task<Answer> AdminConnection::MakePage(const AdminPage& page,
                                       std::string_view type) {
  absl::StatusOr<std::string> text;
  try {
    Task<absl::StatusOr<std::string>> task = page();
    text =
        co_await WithTimeout(admin_->options.response_timeout, std::move(task));
  } catch (const std::exception& e) {
    text = absl::InternalError(e.what());
  } catch (...) {
    text = absl::InternalError("it threw");
  }
  if (text.ok()) co_return Answer(200, *std::move(text), type);
  const bool busy = IsTemporary(text.status().code());
  co_return Answer(busy ? 503 : 500,
                   absl::StrCat("no page: ", text.status().message(), "\n"));
}

Task<absl::Status> AdminConnection::Send(const Answer& answer, bool with_body,
                                         bool last) {
  const std::string head =
      absl::StrCat("HTTP/1.1 ", answer.code, " ", ReasonOf(answer.code),
                   "\r\nContent-Type: ", answer.type,
                   "\r\nContent-Length: ", answer.body.size(),
                   "\r\nCache-Control: no-store\r\n",
                   answer.code == 405 ? "Allow: GET, HEAD\r\n" : "",
                   last ? "Connection: close\r\n\r\n" : "\r\n");
  const std::array<std::span<const std::byte>, 2> parts = {
      std::as_bytes(std::span(head)),
      std::as_bytes(std::span(answer.body))
          .first(with_body ? answer.body.size() : 0)};
  absl::Status sent = co_await WithTimeout(admin_->options.response_timeout,
                                           stream_.Writev(parts));
  co_return sent;
}

Task<absl::Status> ServeAdmin(net::TcpStream stream,
                              std::shared_ptr<const Admin> admin) {
  AdminConnection connection(std::move(stream), std::move(admin));
  co_return co_await connection.Serve();
}

}  // namespace

absl::Status CheckAdminOptions(const AdminOptions& options) {
  absl::Status status =
      CheckOption("AdminOptions::request_timeout", options.request_timeout,
                  absl::Nanoseconds(1), absl::InfiniteDuration());
  if (!status.ok()) return status;
  return CheckOption("AdminOptions::response_timeout", options.response_timeout,
                     absl::Nanoseconds(1), absl::InfiniteDuration());
}

AdminHandler MakeAdminHandler(AdminPages pages, const AdminOptions& options) {
  Admin made;
  made.pages = std::move(pages);
  made.options = Valid(options, &CheckAdminOptions);
  auto admin = std::make_shared<const Admin>(std::move(made));
  return [admin = std::move(admin)](net::TcpStream stream) {
    return ServeAdmin(std::move(stream), admin);
  };
}

}  // namespace ringway
