#include "addon/pump.h"

#include <cstdio>

namespace klystron {
namespace {

constexpr size_t kBatchBytes = 64 * 1024;
constexpr size_t kBatchPieces = 512;

bool Same(const std::vector<Piece>& a, const std::vector<Piece>& b) {
  if (a.size() != b.size() || a.empty()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i].code != b[i].code || a[i].record.get() != b[i].record.get() || !a[i].record) return false;
  }
  return true;
}

}  // namespace

// bytes_ = head, the pending frames as one HTTP chunk, and at the end the chunked body's tail.
void Pump::Build(const Watcher& watch) {
  const Encoding encoding = watch.query().encoding;
  const bool plain = watch.head.empty() && !watch.tail_done;
  if (plain && encoding == last_encoding_ && Same(last_, watch.pending)) return;
  bytes_ = watch.head;
  if (!watch.pending.empty()) {
    frames_.clear();
    for (const Piece& piece : watch.pending) AppendFrame(*watch.resource().shape(), piece, encoding, &frames_);
    char size[24];
    const int n = std::snprintf(size, sizeof(size), "%zx\r\n", frames_.size());
    bytes_.append(size, static_cast<size_t>(n)).append(frames_).append("\r\n");
  }
  if (watch.tail_done) bytes_ += "0\r\n\r\n";
  last_.clear();
  if (plain) last_ = watch.pending;
  last_encoding_ = encoding;
}

Pump::Result Pump::Drive(Watcher* watch) {
  const USockets& sockets = USockets::Get();
  if (watch->blocked) return kBlocked;
  if (sockets.is_closed(watch->ssl, watch->socket) != 0) return kBlocked;
  if (watch->pending.empty() && watch->head.empty() && !watch->tail_done) {
    const Watch::Take taken = watch->Next(kBatchBytes, kBatchPieces, &watch->pending);
    if (taken == Watch::kLapped) {
      watch->pending.push_back({kError, 0, {}, watch->error()});
      watch->ending = true;
      watch->why = "expired";
    } else if (taken == Watch::kDropped) {
      watch->ending = true;
      watch->why = "dropped";
    }
    // An ending watch gets one more batch, not all that a slow reader may lag behind.
    if (watch->ending) watch->tail_done = true;
    else if (watch->pending.empty()) return kIdle;
  }
  Build(*watch);
  const size_t left = bytes_.size() - watch->offset;
  const int written = sockets.write(watch->ssl, watch->socket, bytes_.data() + watch->offset, static_cast<int>(left), 0);
  PumpStats& stats = Stats();
  stats.writes++;
  stats.bytes += written > 0 ? written : 0;
  if (written < static_cast<int>(left)) {
    stats.blocked++;
    // The same bytes must come again (TLS holds a record of them): `pending` makes them again.
    watch->offset += written > 0 ? static_cast<size_t>(written) : 0;
    watch->blocked = true;
    return kBlocked;
  }
  stats.events += static_cast<double>(watch->pending.size());
  watch->offset = 0;
  watch->head.clear();
  watch->pending.clear();
  if (watch->tail_done) return kFinished;
  return watch->caught_up() && !watch->ending ? kIdle : kMore;
}

}  // namespace klystron
