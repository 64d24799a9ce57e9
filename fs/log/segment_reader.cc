// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/segment_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ringway::fs::internal {
namespace {

constexpr size_t kLeastBufferBytes = 64 * 1024;
// A length that is damaged must not have it allocate what nobody has written.
constexpr size_t kMostGrowth = 1024 * 1024;

}  // namespace

SegmentReader::SegmentReader(File file, uint64_t number, uint64_t sequence)
    : file_(std::move(file)), number_(number), sequence_(sequence) {}

Task<absl::Status> SegmentReader::ReadHeader() {
  Task<absl::Status> fill = Fill(kSegmentHeaderBytes);
  const absl::Status filled = co_await std::move(fill);
  if (!filled.ok()) co_return filled;
  absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(Buffered());
  absl::Status status = header.status();
  if (header.ok() && *header != SegmentHeader(number_, sequence_)) {
    status = absl::DataLossError(
        absl::StrCat("it is segment ", header->number, " from record ",
                     header->first_sequence, " on, not segment ", number_,
                     " from record ", sequence_, " on"));
  }
  if (!status.ok()) {
    co_return absl::Status(status.code(),
                           absl::StrCat(file_.path(), ": ", status.message()));
  }
  begin_ += kSegmentHeaderBytes;
  offset_ = group_offset_ = kSegmentHeaderBytes;
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::optional<LogEntry>>> SegmentReader::Next() {
  using Kind = ParsedRecord::Kind;
  damage_.clear();
  ParsedRecord record;
  for (size_t wanted = kRecordHeaderBytes;;) {
    if (Buffered().size() < wanted) {
      Task<absl::Status> fill = Fill(wanted);
      const absl::Status filled = co_await std::move(fill);
      if (!filled.ok()) co_return filled;
    }
    record = ParseRecord(Buffered(), RecordPlace(number_, offset_));
    if (record.kind != Kind::kCutOff) break;
    if (Buffered().size() < wanted) break;  // the file ends
    wanted = record.n_bytes;
  }
  if (record.kind == Kind::kRecord && record.sequence == sequence_)
    co_return Take(record);
  if (record.kind == Kind::kRecord) {
    damage_ = absl::StrCat("record ", record.sequence, " is in the place of ",
                           sequence_);
  } else if (record.kind == Kind::kDamaged) {
    damage_ = absl::StrCat("the checksum of record ", sequence_, " is wrong");
  } else if (!Buffered().empty()) {
    damage_ = absl::StrCat("record ", sequence_, " is cut off");
  }
  co_return std::nullopt;
}

LogEntry SegmentReader::Take(const ParsedRecord& record) {
  if (record.n_before == 0) group_offset_ = offset_;
  begin_ += record.n_bytes;
  offset_ += record.n_bytes;
  ++sequence_;
  return LogEntry(record.sequence, record.data);
}

Task<absl::Status> SegmentReader::Fill(size_t n_bytes) {
  while (end_ - begin_ < n_bytes) {
    if (begin_ > 0) {
      memmove(buffer_.data(), &buffer_[begin_], end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) {
      buffer_.resize(
          end_ + std::clamp(n_bytes - end_, kLeastBufferBytes, kMostGrowth));
    }
    // Here begin_ is 0.
    const absl::StatusOr<size_t> n = co_await file_.ReadAt(
        std::span(buffer_).subspan(end_), static_cast<int64_t>(offset_ + end_));
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    end_ += *n;
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::vector<std::byte>>> SegmentReader::ReadRest() {
  const absl::StatusOr<FileInfo> info = co_await file_.Stat();
  if (!info.ok()) co_return info.status();
  const int64_t offset = static_cast<int64_t>(offset_);
  std::vector<std::byte> rest(
      static_cast<size_t>(std::max(info->size, offset) - offset));
  const absl::Status read = co_await file_.ReadExactlyAt(rest, offset);
  if (!read.ok()) co_return read;
  co_return rest;
}

}  // namespace ringway::fs::internal
