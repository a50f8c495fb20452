// Newer V8 marks the call below as deprecated in favour of one that older V8 lacks.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <v8.h>

#include <cstring>

#include "addon/bind.h"
#include "addon/client_certificates.h"
#include "addon/pump.h"
#include "addon/thread.h"
#include "core/status.h"

namespace klystron {
namespace {

// The socket of a uWS response: it stands in the object's internal field 0 until the response has
// ended or the connection is gone.
us_socket* SocketOf(napi_value value) {
  v8::Local<v8::Value> local;
  static_assert(sizeof(local) == sizeof(value));
  std::memcpy(static_cast<void*>(&local), &value, sizeof(value));
  if (!local->IsObject()) return nullptr;
  const v8::Local<v8::Object> object = local.As<v8::Object>();
  if (object->InternalFieldCount() < 1) return nullptr;
  return static_cast<us_socket*>(object->GetAlignedPointerFromInternalField(0));
}

napi_value PumpInit(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  return Boolean(env, USockets::Get().Load(ToString(env, args[0]).c_str()));
}

napi_value OnPumpEnd(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread* thread = Thread::Of(env);
  if (thread->pump_end != nullptr) napi_delete_reference(env, thread->pump_end);
  napi_create_reference(env, args[0], 1, &thread->pump_end);
  return Undefined(env);
}

napi_value PumpAttach(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  Thread* thread = Thread::Of(env);
  Watcher* watch = thread->FindWatch(ToUint(env, args[0]));
  us_socket* socket = SocketOf(args[1]);
  if (watch == nullptr || socket == nullptr || !USockets::Get().ready()) return Number(env, kNotFound);
  watch->socket = socket;
  watch->ssl = ToBool(env, args[2]) ? 1 : 0;
  watch->head = ToView(env, args[3]);
  // The first write waits for the next turn: a response may be corked right now.
  thread->Queue(watch);
  thread->WakeSelf();
  return Number(env, kOk);
}

napi_value PumpResume(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread* thread = Thread::Of(env);
  Watcher* watch = thread->FindWatch(ToUint(env, args[0]));
  if (watch == nullptr || watch->socket == nullptr) return Undefined(env);
  watch->blocked = false;
  thread->Queue(watch);
  thread->WakeSelf();
  return Undefined(env);
}

napi_value PumpEnd(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread* thread = Thread::Of(env);
  Watcher* watch = thread->FindWatch(ToUint(env, args[0]));
  if (watch == nullptr || watch->socket == nullptr) return Undefined(env);
  watch->ending = true;
  thread->Queue(watch);
  thread->WakeSelf();
  return Undefined(env);
}

napi_value SocketKey(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  return Number(env, static_cast<double>(reinterpret_cast<uintptr_t>(SocketOf(args[0]))));
}

napi_value CollectClientCertificates(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const double descriptor = ToDouble(env, args[0]);  // uWS puts the app's address into its bits
  void* app;
  static_assert(sizeof(app) == sizeof(descriptor));
  std::memcpy(&app, &descriptor, sizeof(app));
  return Boolean(env, ClientCertificates::Collect(app));
}

napi_value TakeClientCertificates(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const std::string pem = ClientCertificates::Take(SocketOf(args[0]));
  napi_value out;
  napi_create_string_latin1(env, pem.data(), pem.size(), &out);
  return out;
}

napi_value ForgetClientCertificates(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  ClientCertificates::Forget(SocketOf(args[0]));
  return Undefined(env);
}

napi_value PumpStatsCall(napi_env env, napi_callback_info) {
  const PumpStats& stats = Pump::Stats();
  napi_value out;
  napi_create_object(env, &out);
  SetProperty(env, out, "writes", Number(env, stats.writes));
  SetProperty(env, out, "bytes", Number(env, stats.bytes));
  SetProperty(env, out, "events", Number(env, stats.events));
  SetProperty(env, out, "blocked", Number(env, stats.blocked));
  return out;
}

}  // namespace

std::span<const Method> PumpMethods() {
  static constexpr Method kMethods[] = {
      {"pumpInit", PumpInit}, {"onPumpEnd", OnPumpEnd}, {"pumpAttach", PumpAttach},
      {"pumpResume", PumpResume}, {"pumpEnd", PumpEnd}, {"socketKey", SocketKey},
      {"pumpStats", PumpStatsCall},
      {"collectClientCertificates", CollectClientCertificates},
      {"takeClientCertificates", TakeClientCertificates},
      {"forgetClientCertificates", ForgetClientCertificates}};
  return kMethods;
}

}  // namespace klystron
