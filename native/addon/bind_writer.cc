#include "addon/bind.h"
#include "addon/registry.h"
#include "addon/thread.h"
#include "core/status.h"
#include "transcode/json_writer.h"
#include "transcode/type_table.h"

namespace klystron {
namespace {

std::string StringProperty(napi_env env, napi_value object, const char* name) {
  napi_value value;
  return Property(env, object, name, &value) ? ToString(env, value) : std::string();
}
double NumberProperty(napi_env env, napi_value object, const char* name, double otherwise) {
  napi_value value;
  return Property(env, object, name, &value) ? ToDouble(env, value) : otherwise;
}

napi_value OpenResource(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const napi_value config = args[0];
  const std::string name = StringProperty(env, config, "name");
  const auto resource = Registry::Get().Open(name, [&](uint32_t id) {
    auto shape = std::make_shared<Shape>();
    shape->name = name;
    shape->api_version = StringProperty(env, config, "apiVersion");
    shape->kind = StringProperty(env, config, "kind");
    shape->type = TypeTable::Get().Find(StringProperty(env, config, "goName"));
    napi_value value;
    if (Property(env, config, "namespaced", &value)) shape->namespaced = ToBool(env, value);
    if (Property(env, config, "fieldPaths", &value)) {
      EachElement(env, value, [&](napi_value path) { shape->field_paths.push_back(ToString(env, path)); });
    }
    if (shape->type != nullptr) {
      shape->prefix = "{\"kind\":";
      AppendJsonString(shape->kind, &shape->prefix);
      shape->prefix += ",\"apiVersion\":";
      AppendJsonString(shape->api_version, &shape->prefix);
      shape->prefix += ',';
    }
    RingLimits limits;
    limits.history_ms = static_cast<int64_t>(NumberProperty(env, config, "historyMs", 75'000));
    limits.max_events = static_cast<uint64_t>(NumberProperty(env, config, "maxEvents", 102'400));
    limits.max_bytes = static_cast<int64_t>(NumberProperty(env, config, "maxRingBytes", 256 << 20));
    return std::make_shared<Resource>(id, std::move(shape), limits);
  });
  return Number(env, resource->id());
}

napi_value BeginFill(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  resource->BeginFill();
  return Number(env, kOk);
}

napi_value FillPut(napi_env env, napi_callback_info info) {
  const Arguments<5> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  const ShortString key(env, args[1]);
  return Number(env, resource->FillPut(key.view(), ToRevision(env, args[2]), ToView(env, args[3]), ToBool(env, args[4])));
}

napi_value CommitFill(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  return Number(env, resource == nullptr ? kNotFound : resource->CommitFill(ToRevision(env, args[1])));
}

napi_value ApplyPut(napi_env env, napi_callback_info info) {
  const Arguments<6> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  const ShortString key(env, args[1]);
  return Number(env, resource->Put(key.view(), ToRevision(env, args[2]), ToView(env, args[3]), ToBool(env, args[4]), ToBool(env, args[5])));
}

napi_value ApplyDelete(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  resource->Delete(ShortString(env, args[1]).view(), ToRevision(env, args[2]), ToBool(env, args[3]));
  return Number(env, kOk);
}

napi_value ApplyProgress(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Resource* resource = Thread::Of(env)->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  resource->Progress(ToRevision(env, args[1]));
  return Number(env, kOk);
}

napi_value DropResource(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  const uint32_t id = ToUint(env, args[0]);
  const auto resource = Registry::Get().Take(id);
  if (resource != nullptr) resource->Drop();
  Thread::Of(env)->Forget(id);
  return Undefined(env);
}

napi_value Stats(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread* thread = Thread::Of(env);
  const auto resource = thread->Share(ToUint(env, args[0]));
  if (resource == nullptr) return Undefined(env);
  const Resource::Stats stats = resource->GetStats();
  napi_value out;
  napi_create_object(env, &out);
  double watches = 0;
  for (const auto& [id, watch] : thread->watches) watches += &watch->resource() == resource.get() ? 1 : 0;
  const std::pair<const char*, double> values[] = {
      {"revision", static_cast<double>(stats.revision)}, {"objects", static_cast<double>(stats.objects)},
      {"recordBytes", static_cast<double>(stats.record_bytes)}, {"indexBytes", static_cast<double>(stats.index_bytes)},
      {"ringBytes", static_cast<double>(stats.ring_bytes)}, {"ringEvents", static_cast<double>(stats.ring_events)},
      {"oldestRevision", static_cast<double>(stats.floor)}, {"watches", watches}};
  for (const auto& [name, value] : values) SetProperty(env, out, name, Number(env, value));
  return out;
}

}  // namespace

std::span<const Method> WriterMethods() {
  static constexpr Method kMethods[] = {
      {"openResource", OpenResource}, {"beginFill", BeginFill}, {"fillPut", FillPut},
      {"commitFill", CommitFill}, {"applyPut", ApplyPut}, {"applyDelete", ApplyDelete},
      {"applyProgress", ApplyProgress}, {"dropResource", DropResource}, {"stats", Stats}};
  return kMethods;
}

}  // namespace klystron
