#include "addon/thread.h"

#include <algorithm>
#include <chrono>

#include "addon/napi.h"
#include "addon/pump.h"
#include "addon/registry.h"

namespace klystron {
namespace {

// How long one pass over the watches may keep the loop from its other work.
constexpr std::chrono::microseconds kSlice{1000};

}  // namespace

void LoopWaker::Wake(uint32_t resource) {
  std::lock_guard hold(lock_);
  if (std::find(resources_.begin(), resources_.end(), resource) == resources_.end()) resources_.push_back(resource);
  if (async_ == nullptr || signalled_) return;
  signalled_ = true;
  uv_async_send(async_);
}
void LoopWaker::WakeSelf() {
  std::lock_guard hold(lock_);
  if (async_ == nullptr || signalled_) return;
  signalled_ = true;
  uv_async_send(async_);
}
void LoopWaker::Close() {
  std::lock_guard hold(lock_);
  async_ = nullptr;
}
void LoopWaker::Take(std::vector<uint32_t>* out) {
  std::lock_guard hold(lock_);
  signalled_ = false;
  out->swap(resources_);
}

Thread* Thread::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Thread*>(data);
}

void Thread::Attach(napi_env env) {
  Thread* thread = new Thread();
  thread->env = env;
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  thread->async_.data = thread;
  uv_async_init(loop, &thread->async_, [](uv_async_t* async) { static_cast<Thread*>(async->data)->OnWake(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&thread->async_));
  thread->waker_ = std::make_shared<LoopWaker>(&thread->async_);
  napi_set_instance_data(env, thread, nullptr, nullptr);
  napi_async_init(env, nullptr, Text(env, "klystron"), &thread->context_);
  napi_add_async_cleanup_hook(env, Close, thread, &thread->cleanup_);
}

// The environment ends: no wake-up may come any more, and the handle must be closed on its loop.
void Thread::Close(napi_async_cleanup_hook_handle, void* data) {
  Thread* thread = static_cast<Thread*>(data);
  for (auto& [id, seen] : thread->seen_) seen.resource->RemoveWaker(thread->waker_.get());
  thread->waker_->Close();
  thread->watches.clear();
  thread->lists.clear();
  thread->seen_.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&thread->async_), [](uv_handle_t* handle) {
    Thread* closed = static_cast<Thread*>(handle->data);
    const napi_async_cleanup_hook_handle hook = closed->cleanup_;
    delete closed;
    napi_remove_async_cleanup_hook(hook);
  });
}

std::shared_ptr<Resource> Thread::Share(uint32_t id) {
  const auto at = seen_.find(id);
  if (at != seen_.end()) return at->second.resource;
  std::shared_ptr<Resource> resource = Registry::Get().Find(id);
  if (resource != nullptr) seen_[id].resource = resource;
  return resource;
}
Resource* Thread::Find(uint32_t id) { return Share(id).get(); }

Hub* Thread::HubOf(const std::shared_ptr<Resource>& resource) {
  Seen& seen = seen_[resource->id()];
  seen.resource = resource;
  if (seen.hub == nullptr) {
    if (seen.advance == nullptr) resource->AddWaker(waker_);
    seen.hub = std::make_unique<Hub>(resource);
  }
  return seen.hub.get();
}

void Thread::OnAdvance(uint32_t id, napi_value callback) {
  if (Share(id) == nullptr) return;
  Seen& seen = seen_[id];
  if (seen.advance == nullptr && seen.hub == nullptr) seen.resource->AddWaker(waker_);
  if (seen.advance != nullptr) napi_delete_reference(env, seen.advance);
  seen.advance = nullptr;
  seen.revision = seen.resource->Revision();
  if (TypeOf(env, callback) == napi_function) napi_create_reference(env, callback, 1, &seen.advance);
  else if (seen.hub == nullptr) seen.resource->RemoveWaker(waker_.get());
}

Watcher* Thread::FindWatch(uint32_t id) {
  const auto at = watches.find(id);
  return at == watches.end() ? nullptr : at->second.get();
}

void Thread::CloseWatch(uint32_t id) {
  const auto at = watches.find(id);
  if (at == watches.end()) return;
  Watcher* watch = at->second.get();
  const auto seen = seen_.find(watch->resource().id());
  if (seen != seen_.end() && seen->second.hub != nullptr) seen->second.hub->Remove(watch);
  if (watch->readable != nullptr) napi_delete_reference(env, watch->readable);
  watches.erase(at);
}

void Thread::Forget(uint32_t resource) {
  const auto at = seen_.find(resource);
  if (at == seen_.end() || (at->second.hub != nullptr && !at->second.hub->empty())) return;
  at->second.resource->RemoveWaker(waker_.get());
  if (at->second.advance != nullptr) napi_delete_reference(env, at->second.advance);
  seen_.erase(at);
}

void Thread::Queue(Watcher* watch) {
  if (watch->socket == nullptr) {
    readable_.push_back(watch->id);
  } else if (!watch->queued) {
    watch->queued = true;
    queue_.push_back(watch->id);
  }
}

void Thread::Deliver(const std::vector<Watch*>& ready) {
  for (Watch* watch : ready) Queue(static_cast<Watcher*>(watch));
}

void Thread::Bookmark(uint32_t id) {
  Watcher* watch = FindWatch(id);
  if (watch == nullptr) return;
  const auto at = seen_.find(watch->resource().id());
  if (at == seen_.end() || at->second.hub == nullptr) return;
  std::vector<Watch*> ready;
  at->second.hub->Advance(&ready);
  at->second.hub->Bookmark(watch, &ready);
  Deliver(ready);
  if (!ready.empty()) WakeSelf();
}

void Thread::Call(napi_ref callback, size_t count, napi_value* values) {
  napi_value function, global, result;
  napi_get_reference_value(env, callback, &function);
  napi_get_global(env, &global);
  if (napi_make_callback(env, context_, global, function, count, values, &result) != napi_pending_exception) return;
  napi_value error;
  napi_get_and_clear_last_exception(env, &error);
  napi_fatal_exception(env, error);
}

void Thread::OnWake() {
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  std::vector<uint32_t> resources;
  waker_->Take(&resources);
  std::vector<Watch*> ready;
  std::vector<uint32_t> advanced;
  for (const uint32_t id : resources) {
    const auto at = seen_.find(id);
    if (at == seen_.end()) continue;
    Seen& seen = at->second;
    ready.clear();
    if (seen.hub != nullptr) seen.hub->Advance(&ready);
    Deliver(ready);
    const uint64_t revision = seen.resource->Revision();
    if (seen.advance != nullptr && revision != seen.revision) advanced.push_back(id);
    seen.revision = revision;
  }
  for (const uint32_t id : advanced) {
    const auto at = seen_.find(id);
    if (at != seen_.end() && at->second.advance != nullptr) Call(at->second.advance, 0, nullptr);
  }
  std::vector<uint32_t> readable;
  readable.swap(readable_);
  for (const uint32_t id : readable) {
    Watcher* watch = FindWatch(id);
    if (watch != nullptr && watch->readable != nullptr) Call(watch->readable, 0, nullptr);
  }
  RunPump();
  napi_close_handle_scope(env, scope);
}

void Thread::RunPump() {
  if (queue_.empty()) return;
  static thread_local Pump pump;
  const auto until = std::chrono::steady_clock::now() + kSlice;
  std::vector<uint32_t> again;
  std::vector<std::pair<uint32_t, const char*>> ended;
  size_t i = 0;
  for (; i < queue_.size(); i++) {
    if (i % 8 == 7 && std::chrono::steady_clock::now() > until) break;
    Watcher* watch = FindWatch(queue_[i]);
    if (watch == nullptr) continue;
    watch->queued = false;
    const Pump::Result result = pump.Drive(watch);
    if (result == Pump::kMore) {
      watch->queued = true;
      again.push_back(watch->id);
    } else if (result == Pump::kFinished) {
      ended.emplace_back(watch->id, watch->why);
    }
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(i));
  queue_.insert(queue_.end(), again.begin(), again.end());
  pump.Forget();
  for (const auto& [id, why] : ended) {
    CloseWatch(id);
    if (pump_end == nullptr) continue;
    napi_value values[] = {Number(env, id), Text(env, why)};
    Call(pump_end, 2, values);
  }
  if (!queue_.empty()) WakeSelf();
}

}  // namespace klystron
