// What one JS thread has of the addon: its lists and watches, its callbacks, its wake-up.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "addon/usockets.h"
#include "core/hub.h"
#include "core/list.h"
#include "core/watch.h"

namespace klystron {

// A watch with its consumer: JS (readable), or the pump (socket).
struct Watcher : Watch {
  using Watch::Watch;
  uint32_t id = 0;
  napi_ref readable = nullptr;
  bool called = false;  // readable was called and nothing has been read since

  us_socket* socket = nullptr;
  int ssl = 0;
  bool blocked = false;
  bool queued = false;
  bool ending = false;
  bool tail_done = false;
  const char* why = "ended";
  std::string head;            // sent before anything else
  std::vector<Piece> pending;  // what the socket has not taken yet, to be made again
  size_t offset = 0;           // how much of that it has taken

  std::string error_frame_message;
  bool error_given = false;
};

// Signals a thread's loop from any thread (rule G2).
class LoopWaker : public Waker {
 public:
  explicit LoopWaker(uv_async_t* async) : async_(async) {}
  void Wake(uint32_t resource) override;
  void WakeSelf();
  void Close();
  void Take(std::vector<uint32_t>* out);

 private:
  std::mutex lock_;
  uv_async_t* async_;
  bool signalled_ = false;
  std::vector<uint32_t> resources_;
};

class Thread {
 public:
  static Thread* Of(napi_env env);
  static void Attach(napi_env env);

  napi_env env;
  uint64_t last_revision = 0;
  int last_type = 0;
  std::string scratch;
  std::unordered_map<uint32_t, std::unique_ptr<List>> lists;
  std::unordered_map<uint32_t, std::unique_ptr<Watcher>> watches;
  uint32_t next_id = 1;
  napi_ref pump_end = nullptr;

  // The resource by number, remembered without a lock.
  Resource* Find(uint32_t id);
  Hub* HubOf(const std::shared_ptr<Resource>& resource);
  std::shared_ptr<Resource> Share(uint32_t id);
  void OnAdvance(uint32_t resource, napi_value callback);
  Watcher* FindWatch(uint32_t id);
  void CloseWatch(uint32_t id);
  void Queue(Watcher* watch);
  void Bookmark(uint32_t watch);
  void Forget(uint32_t resource);
  void WakeSelf() { waker_->WakeSelf(); }
  void Call(napi_ref callback, size_t count, napi_value* values);

 private:
  struct Seen { std::shared_ptr<Resource> resource; std::unique_ptr<Hub> hub; napi_ref advance = nullptr; uint64_t revision = 0; };
  void OnWake();
  void Deliver(const std::vector<Watch*>& ready);
  void RunPump();
  static void Close(napi_async_cleanup_hook_handle handle, void* data);

  uv_async_t async_;
  std::shared_ptr<LoopWaker> waker_;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::unordered_map<uint32_t, Seen> seen_;
  std::vector<uint32_t> queue_;   // watches the pump has work for
  std::vector<uint32_t> readable_;
};

}  // namespace klystron
