#include "core/record.h"

#include <string>
#include <vector>

#include "core/json_scan.h"
#include "core/splice.h"
#include "core/status.h"
#include "transcode/complete.h"
#include "transcode/envelope.h"
#include "transcode/json_check.h"
#include "transcode/json_to_proto.h"
#include "transcode/json_writer.h"
#include "transcode/proto_to_json.h"

namespace klystron {
namespace {

std::string& Scratch() {
  static thread_local std::string scratch;
  scratch.clear();
  return scratch;
}

// A string's content without quotes; other values as their text; "" for null and composites.
std::string PlainText(std::string_view value) {
  if (value.empty() || value == "null" || value[0] == '{' || value[0] == '[') return {};
  if (value[0] != '"') return std::string(value);
  std::string_view inner = value.substr(1, value.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return UnescapeJson(inner);
}

// The members of an object, found in one pass over it.
struct Members {
  static constexpr size_t kMax = 24;
  std::pair<std::string_view, std::string_view> at[kMax];
  size_t count = 0;
  std::string_view object;

  explicit Members(std::string_view object) : object(object) {
    EachMember(object, [&](std::string_view name, std::string_view value) {
      at[count++] = {name, value};
      return count < kMax;
    });
  }
  std::string_view Find(std::string_view name) const {
    for (size_t i = 0; i < count; i++) if (at[i].first == name) return at[i].second;
    return count < kMax ? std::string_view() : Member(object, name);
  }
};

std::string_view AtPath(const Members& top, std::string_view path) {
  size_t dot = path.find('.');
  std::string_view object = top.Find(path.substr(0, dot));
  while (dot != std::string_view::npos && !object.empty()) {
    path = path.substr(dot + 1);
    dot = path.find('.');
    object = Member(object, path.substr(0, dot));
  }
  return object;
}

}  // namespace

// Collects the texts a record keeps slices of: most lie in its JSON, the rest is appended.
struct Record::Extra {
  std::string_view json;
  std::string appended;
  std::vector<Slice> slices;

  void Add(std::string_view value) {
    const bool in_quotes = !value.empty() && value[0] == '"';
    std::string_view inner = in_quotes ? value.substr(1, value.size() - 2) : value;
    const bool inside = inner.data() >= json.data() && inner.data() < json.data() + json.size();
    const bool plain = in_quotes ? inner.find('\\') == std::string_view::npos
                                 : value != "null" && (value.empty() || (value[0] != '{' && value[0] != '['));
    if (inner.empty()) {
      slices.push_back({0, 0});
    } else if (inside && plain) {
      slices.push_back({static_cast<uint32_t>(inner.data() - json.data()), static_cast<uint32_t>(inner.size())});
    } else {
      const std::string text = PlainText(value);
      slices.push_back({static_cast<uint32_t>(json.size() + appended.size()), static_cast<uint32_t>(text.size())});
      appended += text;
    }
  }
};

int Record::FromStored(const std::shared_ptr<Shape>& shape, Ref<Key> key, uint64_t revision,
                       std::string_view value, bool complete, Ref<Record>* out) {
  std::string& json = Scratch();
  char number[24];
  const std::string_view text = Decimal(revision, number);
  if (IsEnvelope(value)) {
    Envelope envelope;
    if (shape->type == nullptr || !ReadEnvelope(value, &envelope)) return kBadValue;
    if (envelope.api_version != shape->api_version) return kOtherVersion;
    const int status = ProtoToJson(*shape->type, envelope.raw, shape->kind, shape->api_version, text, &json, complete);
    if (status != kOk) return status;
  } else {
    std::string compact;
    if (!CompactJson(value, &compact) || compact.empty() || compact[0] != '{') return kBadValue;
    if (complete && shape->type != nullptr) {
      const int status = CheckJson(*shape->type, shape->api_version, compact);
      if (status != kOk) return status;
    }
    if (!SpliceRevision(compact, text, shape->type != nullptr, &json)) return kBadValue;
  }
  return FromJson(shape, std::move(key), revision, json, out);
}

int Record::FromJson(const std::shared_ptr<Shape>& shape, Ref<Key> key, uint64_t revision,
                     std::string_view json, Ref<Record>* out) {
  if (json.size() > 0x7fffffff) return kBadValue;
  const Members top(json);
  const std::string_view metadata = top.Find("metadata");
  if (metadata.empty() || metadata[0] != '{') return kBadValue;
  static thread_local Extra extra;
  extra.json = json;
  extra.appended.clear();
  extra.slices.clear();
  EachMember(Member(metadata, "labels"), [&](std::string_view label, std::string_view value) {
    // The label's name with its quotes, which stand around it in the text.
    extra.Add(std::string_view(label.data() - 1, label.size() + 2));
    extra.Add(value);
    return true;
  });
  const size_t labels = extra.slices.size() / 2;
  if (labels > 0xffff) return kBadValue;
  for (const std::string& path : shape->field_paths) extra.Add(AtPath(top, path));

  const size_t slice_bytes = sizeof(Slice) * extra.slices.size();
  const size_t total = sizeof(Record) + slice_bytes + json.size() + extra.appended.size();
  Record* record = new (std::malloc(total)) Record();
  record->label_count_ = static_cast<uint16_t>(labels);
  record->field_count_ = static_cast<uint16_t>(shape->field_paths.size());
  record->json_size_ = static_cast<uint32_t>(json.size());
  record->bytes_ = static_cast<uint32_t>(total);
  const bool prefixed = !shape->prefix.empty() && json.substr(0, shape->prefix.size()) == shape->prefix;
  record->prefix_size_ = prefixed ? static_cast<uint32_t>(shape->prefix.size()) : 0;
  record->meta_ = {static_cast<uint32_t>(metadata.data() - json.data()), static_cast<uint32_t>(metadata.size())};
  record->revision_ = revision;
  record->key_ = std::move(key);
  record->shape_ = shape;
  if (slice_bytes > 0) std::memcpy(record->slices(), extra.slices.data(), slice_bytes);
  std::memcpy(record->data(), json.data(), json.size());
  if (!extra.appended.empty()) {
    std::memcpy(record->data() + json.size(), extra.appended.data(), extra.appended.size());
  }
  shape->record_bytes.fetch_add(static_cast<int64_t>(total), std::memory_order_relaxed);
  *out = Ref<Record>::Adopt(record);
  return kOk;
}

Ref<Record> Record::AtRevision(uint64_t revision) const {
  std::string text;
  char number[24];
  Ref<Record> out;
  if (SpliceRevision(json(), Decimal(revision, number), shape_->type != nullptr, &text)) {
    FromJson(shape_, key_, revision, text, &out);
  }
  return out;
}

std::string_view Record::Label(std::string_view key, bool* found) const {
  for (size_t i = 0; i < label_count_; i++) {
    if (label_key(i) != key) continue;
    *found = true;
    return label_value(i);
  }
  *found = false;
  return {};
}

const Record::Proto* Record::proto() const {
  Proto* made = proto_.load(std::memory_order_acquire);
  if (made != nullptr || shape_->type == nullptr) return made;
  if (!shape_->wants_proto.load(std::memory_order_relaxed)) shape_->wants_proto.store(true, std::memory_order_relaxed);
  std::string& raw = Scratch();
  char number[24];
  if (JsonToProto(*shape_->type, json(), Decimal(revision_, number), &raw) != kOk) return nullptr;
  std::string head, tail;
  EnvelopeAround(raw.size(), shape_->kind, shape_->api_version, &head, &tail);
  const size_t size = head.size() + raw.size() + tail.size();
  Proto* fresh = static_cast<Proto*>(std::malloc(sizeof(Proto) + size));
  *fresh = {static_cast<uint32_t>(size), static_cast<uint32_t>(head.size()), static_cast<uint32_t>(raw.size())};
  char* bytes = reinterpret_cast<char*>(fresh + 1);
  std::memcpy(bytes, head.data(), head.size());
  std::memcpy(bytes + head.size(), raw.data(), raw.size());
  std::memcpy(bytes + head.size() + raw.size(), tail.data(), tail.size());
  if (!proto_.compare_exchange_strong(made, fresh, std::memory_order_acq_rel)) {
    std::free(fresh);
    return made;
  }
  shape_->record_bytes.fetch_add(static_cast<int64_t>(sizeof(Proto) + size), std::memory_order_relaxed);
  return fresh;
}

void Record::Destroy() {
  int64_t bytes = bytes_;
  Proto* proto = proto_.load(std::memory_order_relaxed);
  if (proto != nullptr) bytes += static_cast<int64_t>(sizeof(Proto) + proto->size);
  std::free(proto);
  shape_->record_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  this->~Record();
  std::free(this);
}

}  // namespace klystron
