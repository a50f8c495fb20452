#include "addon/bind.h"
#include "addon/thread.h"
#include "core/status.h"

namespace klystron {
namespace {

List* FindList(napi_env env, napi_value id) {
  Thread* thread = Thread::Of(env);
  const auto at = thread->lists.find(ToUint(env, id));
  return at == thread->lists.end() ? nullptr : at->second.get();
}

napi_value ListOpen(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  Thread* thread = Thread::Of(env);
  const Resource* resource = thread->Find(ToUint(env, args[0]));
  if (resource == nullptr) return Number(env, kNotFound);
  ListQuery query;
  ReadSelection(env, args[1], *resource->shape(), &query.selector);
  napi_value value;
  if (Property(env, args[1], "startKey", &value)) query.start_key = ToString(env, value);
  if (Property(env, args[1], "limit", &value)) query.limit = ToRevision(env, value);
  if (Property(env, args[1], "revision", &value)) query.revision = ToRevision(env, value);
  auto list = std::make_unique<List>();
  const int status = List::Open(*resource, query, list.get());
  if (status != kOk) return Number(env, status);
  napi_value out;
  napi_create_object(env, &out);
  const uint32_t id = thread->next_id++;
  SetProperty(env, out, "id", Number(env, id));
  SetProperty(env, out, "revision", Number(env, static_cast<double>(list->revision())));
  SetProperty(env, out, "count", Number(env, static_cast<double>(list->count())));
  SetProperty(env, out, "nextKey", list->next_key().empty() ? Undefined(env) : Text(env, list->next_key()));
  const auto remaining = list->remaining();
  SetProperty(env, out, "remaining", remaining.has_value() ? Number(env, static_cast<double>(*remaining)) : Undefined(env));
  thread->lists.emplace(id, std::move(list));
  return out;
}

napi_value ListPrepare(napi_env env, napi_callback_info info) {
  const Arguments<3> args(env, info);
  List* list = FindList(env, args[0]);
  if (list == nullptr) return Number(env, kNotFound);
  const Encoding encoding = static_cast<Encoding>(ToUint(env, args[1]) & 3);
  return Number(env, static_cast<double>(list->Prepare(encoding, ToUint(env, args[2]))));
}

napi_value ListDocument(napi_env env, napi_callback_info info) {
  const Arguments<5> args(env, info);
  List* list = FindList(env, args[0]);
  if (list == nullptr) return Number(env, kNotFound);
  const std::string kind = ToString(env, args[2]), version = ToString(env, args[3]), token = ToString(env, args[4]);
  return Number(env, static_cast<double>(list->Begin(static_cast<Encoding>(ToUint(env, args[1]) & 3), kind, version, token)));
}

napi_value ListRead(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  List* list = FindList(env, args[0]);
  if (list == nullptr) return Number(env, kNotFound);
  const std::span<char> target = ToBytes(env, args[1]);
  return Number(env, static_cast<double>(list->Read(target.data(), target.size())));
}

napi_value ListItem(napi_env env, napi_callback_info info) {
  const Arguments<4> args(env, info);
  Thread* thread = Thread::Of(env);
  List* list = FindList(env, args[0]);
  Record* record = list == nullptr ? nullptr : list->Item(ToUint(env, args[1]));
  if (record == nullptr) return Number(env, kNotFound);
  thread->last_revision = record->revision();
  const uint32_t encoding = ToUint(env, args[2]);
  if (encoding == kJson) return Number(env, CopyOut(record->json(), ToBytes(env, args[3])));
  thread->scratch.clear();
  const int status = AppendObject(*record, static_cast<Encoding>(encoding & 3), &thread->scratch);
  return Number(env, status != kOk ? status : CopyOut(thread->scratch, ToBytes(env, args[3])));
}

napi_value ListItemKey(napi_env env, napi_callback_info info) {
  const Arguments<2> args(env, info);
  List* list = FindList(env, args[0]);
  Record* record = list == nullptr ? nullptr : list->Item(ToUint(env, args[1]));
  return Text(env, record == nullptr ? std::string_view() : record->SortKey());
}

napi_value ListClose(napi_env env, napi_callback_info info) {
  const Arguments<1> args(env, info);
  Thread::Of(env)->lists.erase(ToUint(env, args[0]));
  return Undefined(env);
}

}  // namespace

std::span<const Method> ListMethods() {
  static constexpr Method kMethods[] = {{"listOpen", ListOpen}, {"listPrepare", ListPrepare}, {"listDocument", ListDocument},
                                        {"listRead", ListRead}, {"listItem", ListItem},
                                        {"listItemKey", ListItemKey}, {"listClose", ListClose}};
  return kMethods;
}

}  // namespace klystron
