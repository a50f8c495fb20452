#include "addon/bind.h"
#include "addon/thread.h"
#include "core/status.h"
#include "transcode/complete.h"
#include "transcode/envelope.h"
#include "transcode/json_to_proto.h"
#include "transcode/proto_to_json.h"

namespace klystron {
namespace {

napi_value LoadTypes(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  return Number(env, static_cast<double>(TypeTable::Get().Load(ToView(env, args[0]), ToView(env, args[1]))));
}

napi_value ProtoToJsonCall(napi_env env, napi_callback_info info) {
  const Arguments<7> args(env, info);
  const StructType* type = TypeTable::Get().Find(ShortString(env, args[0]).view());
  if (type == nullptr) return Number(env, kNotFound);
  std::string_view raw = ToView(env, args[4]);
  Envelope envelope;
  if (IsEnvelope(raw)) {
    if (!ReadEnvelope(raw, &envelope)) return Number(env, kBadValue);
    raw = envelope.raw;
  }
  std::string& out = Thread::Of(env)->scratch;
  out.clear();
  const ShortString kind(env, args[1]), version(env, args[2]), revision(env, args[3]);
  const bool complete = ToBool(env, args[6]);
  if (complete && envelope.api_version != version.view()) return Number(env, kOtherVersion);
  const int status = ProtoToJson(*type, raw, kind.view(), version.view(), revision.view(), &out, complete);
  return Number(env, status != kOk ? status : CopyOut(out, ToBytes(env, args[5])));
}

napi_value JsonToProtoCall(napi_env env, napi_callback_info info) {
  const Arguments<7> args(env, info);
  const StructType* type = TypeTable::Get().Find(ShortString(env, args[0]).view());
  if (type == nullptr) return Number(env, kNotFound);
  std::string& out = Thread::Of(env)->scratch;
  out.clear();
  const ShortString kind(env, args[1]), version(env, args[2]), revision(env, args[3]);
  const int status = JsonToProto(*type, ToView(env, args[4]), revision.view(), &out);
  if (status != kOk) return Number(env, status);
  if (ToBool(env, args[6])) {
    std::string head, tail;
    EnvelopeAround(out.size(), kind.view(), version.view(), &head, &tail);
    out.insert(0, head).append(tail);
  }
  return Number(env, CopyOut(out, ToBytes(env, args[5])));
}

napi_value JsonIsComplete(napi_env env, napi_callback_info info) {
  const Arguments<3> args(env, info);
  const StructType* type = TypeTable::Get().Find(ShortString(env, args[0]).view());
  if (type == nullptr) return Number(env, kNotFound);
  return Number(env, CheckJson(*type, ShortString(env, args[1]).view(), ToView(env, args[2])));
}

}  // namespace

std::span<const Method> TranscodeMethods() {
  static constexpr Method kMethods[] = {
      {"loadTypes", LoadTypes}, {"protoToJson", ProtoToJsonCall}, {"jsonToProto", JsonToProtoCall},
      {"jsonIsComplete", JsonIsComplete}};
  return kMethods;
}

}  // namespace klystron
