// The addon's entry: gives each JS thread its Thread and lists the functions.
#include "addon/bind.h"
#include "addon/thread.h"

namespace klystron {
namespace {

napi_value Init(napi_env env, napi_value exports) {
  Thread::Attach(env);
  for (const auto& methods : {TranscodeMethods(), WriterMethods(), ReadMethods(), ListMethods(), WatchMethods(), PumpMethods(), MemoryMethods()}) {
    for (const Method& method : methods) {
      napi_value function;
      napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.call, nullptr, &function);
      napi_set_named_property(env, exports, method.name, function);
    }
  }
  return exports;
}

}  // namespace
}  // namespace klystron

NAPI_MODULE(NODE_GYP_MODULE_NAME, klystron::Init)
