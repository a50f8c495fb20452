// Memory that is free is given back to the system: V8's, malloc's, and pages of mapped files.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "addon/bind.h"

namespace klystron {
namespace {

// v8::Isolate::GetCurrent and ::MemoryPressureNotification, found by name: the addon stays one of
// Node-API, and where a Node has other names nothing is collected.
struct V8 {
  void* (*current)();
  void (*pressure)(void* isolate, int level);
};

const V8& FindV8() {
  static const V8 v8 = {
      reinterpret_cast<void* (*)()>(dlsym(RTLD_DEFAULT, "_ZN2v87Isolate10GetCurrentEv")),
      reinterpret_cast<void (*)(void*, int)>(dlsym(
          RTLD_DEFAULT, "_ZN2v87Isolate26MemoryPressureNotificationENS_19MemoryPressureLevelE")),
  };
  return v8;
}

// v8::MemoryPressureLevel: kNone 0, kModerate 1.
napi_value MemoryPressure(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const auto [current, pressure] = FindV8();
  if (current == nullptr || pressure == nullptr) return Boolean(env, false);
  void* const isolate = current();
  if (isolate == nullptr) return Boolean(env, false);
  pressure(isolate, ToBool(env, args[0]) ? 1 : 0);
  return Boolean(env, true);
}

// What the pages hold stays in the kernel's cache and comes back when it is read. Of a shared mapping
// nothing is lost, written pages neither.
void ForgetPages(std::string_view path) {
  FILE* const maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  char line[4096 + 128];
  while (fgets(line, sizeof(line), maps) != nullptr) {
    unsigned long start = 0, end = 0;
    char mode[8] = "";
    int name = 0;
    if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &start, &end, mode, &name) < 3) continue;
    std::string_view file(line + name);
    if (!file.empty() && file.back() == '\n') file.remove_suffix(1);
    if (name == 0 || file != path || mode[3] != 's') continue;
    madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
  }
  fclose(maps);
}

napi_value ReleaseMemory(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  malloc_trim(0);
  const std::string path = ToString(env, args[0]);
  if (!path.empty()) ForgetPages(path);
  return Undefined(env);
}

constexpr Method kMethods[] = {
    {"memoryPressure", MemoryPressure},
    {"releaseMemory", ReleaseMemory},
};

}  // namespace

std::span<const Method> MemoryMethods() { return kMethods; }

}  // namespace klystron
