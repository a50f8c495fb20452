#include "addon/bind.h"
#include "addon/thread.h"
#include "core/status.h"

namespace klystron {
namespace {

Watcher* FindWatch(napi_env env, napi_value id) { return Thread::Of(env)->FindWatch(ToUint(env, id)); }

napi_value WatchOpen(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Thread* thread = Thread::Of(env);
  const auto resource = thread->Share(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  if (resource->Revision() == 0) return Number(env, kNotReady);
  WatchQuery query;
  ReadSelection(env, args[1], *resource->shape(), &query.selector);
  napi_value value;
  if (Property(env, args[1], "from", &value)) {
    const std::string from = ToString(env, value);
    query.from = from == "state" ? WatchQuery::kState : from == "initial" ? WatchQuery::kInitial
               : from == "after" ? WatchQuery::kAfter : WatchQuery::kNow;
  }
  if (Property(env, args[1], "revision", &value)) query.revision = ToRevision(env, value);
  if (Property(env, args[1], "encoding", &value)) query.encoding = static_cast<Encoding>(ToUint(env, value) & 3);
  if (Property(env, args[1], "bookmarks", &value)) query.bookmarks = ToBool(env, value);
  if (query.encoding == kProtobuf && resource->shape()->type == nullptr) return Number(env, kNoProtobuf);
  auto watch = std::make_unique<Watcher>(resource, std::move(query));
  watch->id = thread->next_id++;
  thread->HubOf(resource)->Add(watch.get());
  const uint32_t id = watch->id;
  thread->watches.emplace(id, std::move(watch));
  return Number(env, id);
}

// Fills watch->pending with what is next when it is empty. Returns kOk or why there is nothing.
int Fill(Watcher* watch, size_t max_pieces) {
  if (!watch->pending.empty()) return kOk;
  const Watch::Take taken = watch->Next(64 * 1024, max_pieces, &watch->pending);
  if (taken == Watch::kLapped) return kExpired;
  if (taken == Watch::kDropped) return kNotFound;
  return kOk;
}

napi_value WatchRead(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Thread* thread = Thread::Of(env);
  Watcher* watch = FindWatch(env, args[0]);
  if (watch == nullptr) return Number(env, kNotFound);
  const std::span<char> target = ToBytes(env, args[1]);
  const int status = Fill(watch, 512);
  if (status != kOk) return Number(env, status);
  size_t done = 0, taken = 0;
  std::string& frame = thread->scratch;
  for (const Piece& piece : watch->pending) {
    frame.clear();
    AppendFrame(*watch->resource().shape(), piece, watch->query().encoding, &frame);
    if (done + frame.size() > target.size()) break;
    std::copy(frame.begin(), frame.end(), target.begin() + static_cast<ptrdiff_t>(done));
    done += frame.size();
    taken++;
  }
  const bool stuck = taken == 0 && !watch->pending.empty();
  const double needed = stuck ? -static_cast<double>(frame.size()) - 100 : 0;
  watch->pending.erase(watch->pending.begin(), watch->pending.begin() + static_cast<ptrdiff_t>(taken));
  return Number(env, stuck ? needed : static_cast<double>(done));
}

napi_value WatchNext(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Thread* thread = Thread::Of(env);
  Watcher* watch = FindWatch(env, args[0]);
  if (watch == nullptr) return Number(env, kNotFound);
  const int status = Fill(watch, 64);
  if (status != kOk) return Number(env, status);
  if (watch->pending.empty()) return Number(env, 0);
  const Piece& piece = watch->pending.front();
  std::string& object = thread->scratch;
  object.clear();
  if (piece.record) {
    AppendObject(*piece.record, kJson, &object);
  } else {
    AppendFrame(*watch->resource().shape(), piece, kJson, &object);
    const size_t start = object.find("\"object\":") + 9;
    object = object.substr(start, object.size() - start - 2);
  }
  const double written = CopyOut(object, ToBytes(env, args[1]));
  if (written < 0) return Number(env, written);
  thread->last_type = piece.code == kInitialEnd ? kBookmark : piece.code;
  thread->last_revision = piece.revision;
  watch->pending.erase(watch->pending.begin());
  return Number(env, written);
}

napi_value WatchNextType(napi_env env, napi_callback_info) { return Number(env, Thread::Of(env)->last_type); }

napi_value OnReadable(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Watcher* watch = FindWatch(env, args[0]);
  if (watch == nullptr) return Undefined(env);
  if (watch->readable != nullptr) napi_delete_reference(env, watch->readable);
  napi_create_reference(env, args[1], 1, &watch->readable);
  if (watch->caught_up() && watch->pending.empty()) return Undefined(env);
  Thread* thread = Thread::Of(env);
  thread->Queue(watch);
  thread->WakeSelf();
  return Undefined(env);
}

napi_value WatchRevision(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Watcher* watch = FindWatch(env, args[0]);
  if (watch == nullptr) return Number(env, 0);
  Thread* thread = Thread::Of(env);
  const auto resource = thread->Share(watch->resource().id());
  if (resource != nullptr && watch->pending.empty()) watch->Passed(thread->HubOf(resource)->revision());
  return Number(env, static_cast<double>(watch->revision()));
}

napi_value WatchError(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Watcher* watch = FindWatch(env, args[0]);
  return Text(env, watch == nullptr ? std::string_view() : std::string_view(watch->error()));
}

napi_value WatchBookmark(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread::Of(env)->Bookmark(ToUint(env, args[0]));
  return Undefined(env);
}

napi_value WatchClose(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread::Of(env)->CloseWatch(ToUint(env, args[0]));
  return Undefined(env);
}

}  // namespace

std::span<const Method> WatchMethods() {
  static constexpr Method kMethods[] = {
      {"watchOpen", WatchOpen}, {"watchRead", WatchRead}, {"watchNext", WatchNext},
      {"watchNextType", WatchNextType}, {"onReadable", OnReadable}, {"watchRevision", WatchRevision},
      {"watchError", WatchError}, {"watchBookmark", WatchBookmark},
      {"watchClose", WatchClose}};
  return kMethods;
}

}  // namespace klystron
