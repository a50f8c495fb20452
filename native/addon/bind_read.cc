#include "addon/bind.h"
#include "addon/thread.h"
#include "core/frame.h"
#include "core/status.h"

namespace klystron {

void ReadSelection(napi_env env, napi_value object, const Shape& shape, Selector* out) {
  napi_value value;
  if (Property(env, object, "namespace", &value)) {
    out->has_namespace = shape.namespaced;
    out->ns = ToString(env, value);
  }
  if (Property(env, object, "name", &value)) {
    out->has_name = true;
    out->name = ToString(env, value);
  }
  if (Property(env, object, "nothing", &value)) out->nothing = ToBool(env, value);
  if (Property(env, object, "labels", &value)) {
    EachElement(env, value, [&](napi_value element) {
      static constexpr std::string_view kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
      LabelRequirement requirement;
      napi_value part;
      if (Property(env, element, "key", &part)) requirement.key = ToString(env, part);
      if (Property(env, element, "operator", &part)) {
        const std::string op = ToString(env, part);
        for (size_t i = 0; i < 6; i++) {
          if (op == kOperators[i]) requirement.op = static_cast<LabelRequirement::Operator>(i);
        }
      }
      if (Property(env, element, "values", &part)) {
        EachElement(env, part, [&](napi_value text) { requirement.values.push_back(ToString(env, text)); });
      }
      out->labels.push_back(std::move(requirement));
    });
  }
  if (!Property(env, object, "fields", &value)) return;
  EachElement(env, value, [&](napi_value element) {
    napi_value part;
    std::string field, text;
    bool equal = true;
    if (Property(env, element, "field", &part)) field = ToString(env, part);
    if (Property(env, element, "operator", &part)) equal = ToString(env, part) != "!=";
    if (Property(env, element, "value", &part)) text = ToString(env, part);
    out->AddField(shape, field, equal, text);
  });
}

namespace {

napi_value Revision(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  return Number(env, resource == nullptr ? 0 : static_cast<double>(resource->Revision()));
}

napi_value CountCall(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  return Number(env, resource == nullptr ? 0 : static_cast<double>(resource->Count()));
}

napi_value GetCall(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  Thread* thread = Thread::Of(env);
  const Resource* resource = thread->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  const Ref<Record> record = resource->Get(ShortString(env, args[1]).view());
  if (!record) return Number(env, resource->Revision() == 0 ? kNotReady : 0);
  thread->last_revision = record->revision();
  const uint32_t encoding = ToUint(env, args[2]);
  const std::span<char> target = ToBytes(env, args[3]);
  if (encoding == kJson) return Number(env, CopyOut(record->json(), target));
  thread->scratch.clear();
  const int status = AppendObject(*record, static_cast<Encoding>(encoding & 3), &thread->scratch);
  return Number(env, status != kOk ? status : CopyOut(thread->scratch, target));
}

napi_value LastRevision(napi_env env, napi_callback_info) {
  return Number(env, static_cast<double>(Thread::Of(env)->last_revision));
}

napi_value OnAdvance(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Thread::Of(env)->OnAdvance(ToUint(env, args[0]), args[1]);
  return Undefined(env);
}

}  // namespace

std::span<const Method> ReadMethods() {
  static constexpr Method kMethods[] = {{"revision", Revision}, {"count", CountCall}, {"get", GetCall},
                                        {"lastRevision", LastRevision}, {"onAdvance", OnAdvance}};
  return kMethods;
}

}  // namespace klystron
