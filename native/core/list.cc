#include "core/list.h"

#include <algorithm>

#include "core/status.h"
#include "transcode/envelope.h"
#include "transcode/json_writer.h"

namespace klystron {
namespace {

constexpr std::string_view kPartialHead =
    R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)";

// The smallest text above every key of a namespace: `ns/` ends before `ns0`.
std::string NamespaceEnd(std::string_view ns) { return std::string(ns) + '0'; }

bool InRange(std::string_view key, std::string_view start, const Selector& selector) {
  return key >= start && (!selector.has_namespace || key.substr(0, key.find('/')) == selector.ns);
}

}  // namespace

int List::Open(const Resource& resource, const ListQuery& query, List* out) {
  out->shape_ = resource.shape();
  std::vector<Index::Postings> postings;
  const bool indexed = resource.NowFor(query.selector, &out->snapshot_, &postings);
  bool current = true;
  if (query.revision.has_value() && *query.revision != out->snapshot_.revision) {
    current = false;
    const int status = resource.AtRevision(*query.revision, &out->snapshot_);
    if (status != kOk) return status;
  }
  if (out->snapshot_.revision == 0) return kNotReady;
  if (!query.selector.Filters() && !query.selector.has_name) out->SelectRange(query);
  else out->SelectMatches(resource, query, indexed && current ? &postings : nullptr);
  return kOk;
}

void List::SelectRange(const ListQuery& query) {
  range_ = true;
  const auto& objects = snapshot_.objects;
  std::string start = query.start_key, end;
  if (query.selector.has_namespace) {
    start = std::max(start, query.selector.ns + "/");
    end = NamespaceEnd(query.selector.ns);
  }
  first_ = objects.Before(start).items;
  const uint64_t last = end.empty() ? objects.size() : objects.Before(end).items;
  const uint64_t available = last > first_ ? last - first_ : 0;
  count_ = query.limit > 0 ? std::min(query.limit, available) : available;
  if (count_ == available || count_ == 0) return;
  remaining_ = available - count_;
  auto cursor = objects.At(first_ + count_ - 1);
  next_key_ = cursor.Next()->SortKey();
  next_key_ += '\0';
}

// False when the page is full.
bool List::Take(Record* record, const ListQuery& query) {
  if (!query.selector.Matches(*record)) return true;
  if (query.limit > 0 && matches_.size() == query.limit) {
    next_key_ = matches_.back()->SortKey();
    next_key_ += '\0';
    return false;
  }
  matches_.push_back(record);
  return true;
}

void List::SelectMatches(const Resource& resource, const ListQuery& query, const std::vector<Index::Postings>* postings) {
  const Selector& selector = query.selector;
  const auto& objects = snapshot_.objects;
  std::string single;
  if (selector.nothing) {
    // Nothing to look at.
  } else if (selector.SingleKey(*resource.shape(), &single)) {
    Record* record = objects.Find(single);
    if (record != nullptr && single >= query.start_key) Take(record, query);
  } else if (postings != nullptr) {
    std::vector<std::string_view> keys;
    for (const auto& posting : *postings) {
      auto cursor = posting.From(query.start_key);
      while (Key* key = cursor.Next()) {
        if (InRange(key->text(), query.start_key, selector)) keys.push_back(key->text());
      }
    }
    if (postings->size() > 1) {
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    }
    for (const std::string_view key : keys) {
      Record* record = objects.Find(key);
      if (record != nullptr && !Take(record, query)) break;
    }
  } else {
    std::string start = query.start_key;
    if (selector.has_namespace) start = std::max(start, selector.ns + "/");
    const std::string end = selector.has_namespace ? NamespaceEnd(selector.ns) : std::string();
    auto cursor = objects.From(start);
    while (Record* record = cursor.Next()) {
      if (!end.empty() && record->SortKey() >= end) break;
      if (!Take(record, query)) break;
    }
  }
  count_ = matches_.size();
}

void List::Rewind() {
  written_ = 0;
  if (range_) cursor_ = snapshot_.objects.At(first_);
}

Record* List::NextItem() {
  if (written_ == count_) return nullptr;
  const uint64_t i = written_++;
  return range_ ? cursor_.Next() : matches_[i];
}

Record* List::Item(uint64_t i) {
  if (i >= count_) return nullptr;
  if (!range_) return matches_[i];
  if (i != item_next_) item_cursor_ = snapshot_.objects.At(first_ + i);
  item_next_ = i + 1;
  return item_cursor_.Next();
}

uint64_t List::ItemsLength(int* status) {
  const bool json = encoding_ == kJson || encoding_ == kMetadataJson;
  uint64_t length = json && count_ > 0 ? count_ - 1 : 0;
  if (encoding_ == kJson && range_) {
    return length + snapshot_.objects.WeightBefore(first_ + count_) - snapshot_.objects.WeightBefore(first_);
  }
  Rewind();
  while (Record* record = NextItem()) {
    if (encoding_ == kJson) {
      length += record->Weight();
    } else if (encoding_ == kMetadataJson && shape_->type != nullptr) {
      length += kPartialHead.size() + record->metadata().size() + 1;
    } else if (encoding_ == kProtobuf && record->proto() != nullptr) {
      const uint64_t raw = record->proto()->raw_size;
      length += 1 + VarintSize(raw) + raw;
    } else {
      scratch_.clear();
      const int result = AppendItem(*record, encoding_, &scratch_);
      if (result != kOk) *status = result;
      length += scratch_.size();
    }
  }
  return length;
}

void List::Head(std::string_view kind, std::string_view api_version, std::string_view token) {
  char number[24];
  const bool custom = shape_->type == nullptr && encoding_ == kJson;
  std::string meta, left;
  if (remaining_.has_value()) left.append("\"remainingItemCount\":").append(Decimal(*remaining_, number));
  if (custom || !token.empty()) {
    meta += "\"continue\":";
    AppendJsonString(token, &meta);
  }
  if (custom) {
    if (!left.empty()) meta.append(",").append(left);
    meta.append(",\"resourceVersion\":\"").append(Decimal(revision(), number)).append("\"");
    head_ = "{\"apiVersion\":";
    AppendJsonString(api_version, &head_);
    head_ += ",\"items\":[";
    tail_ = "],\"kind\":";
    AppendJsonString(kind, &tail_);
    tail_.append(",\"metadata\":{").append(meta).append("}}\n");
    return;
  }
  head_ = "{\"kind\":";
  AppendJsonString(kind, &head_);
  head_ += ",\"apiVersion\":";
  AppendJsonString(api_version, &head_);
  head_.append(",\"metadata\":{\"resourceVersion\":\"").append(Decimal(revision(), number)).append("\"");
  if (!meta.empty()) head_.append(",").append(meta);
  if (!left.empty()) head_.append(",").append(left);
  head_ += "},\"items\":[";
  tail_ = "]}\n";
}

void List::ProtoHead(std::string_view kind, std::string_view api_version, std::string_view token, uint64_t items) {
  char number[24];
  std::string meta, raw;
  AppendBytesField(1, "", &meta);
  AppendBytesField(2, Decimal(revision(), number), &meta);
  AppendBytesField(3, token, &meta);
  if (remaining_.has_value()) AppendVarintField(4, *remaining_, &meta);
  AppendBytesField(1, meta, &raw);
  head_.clear();
  tail_.clear();
  EnvelopeAround(raw.size() + items, kind, api_version, &head_, &tail_);
  head_ += raw;
}

uint64_t List::Prepare(Encoding encoding, uint64_t most) {
  const bool lazy = shape_->type != nullptr && (encoding == kProtobuf || encoding == kMetadataProtobuf);
  if (!lazy) return 0;
  // What is there already costs a look.
  constexpr uint64_t kLookBytes = 64;
  for (uint64_t done = 0; prepared_ < count_ && done < most; prepared_++) {
    const Record* record = Item(prepared_);
    done += record->has_proto() ? kLookBytes : record->json().size();
    record->proto();
  }
  return count_ - prepared_;
}

int64_t List::Begin(Encoding encoding, std::string_view kind, std::string_view api_version, std::string_view token) {
  encoding_ = encoding;
  if (encoding == kMetadataJson || encoding == kMetadataProtobuf) {
    kind = "PartialObjectMetadataList";
    api_version = "meta.k8s.io/v1";
  }
  if (encoding == kProtobuf && shape_->type == nullptr) return kNoProtobuf;
  int status = kOk;
  const uint64_t items = ItemsLength(&status);
  if (status != kOk) return status;
  if (encoding == kProtobuf || encoding == kMetadataProtobuf) ProtoHead(kind, api_version, token, items);
  else Head(kind, api_version, token);
  Rewind();
  stage_ = kHeadPart;
  parts_[0] = head_;
  part_ = 0;
  part_count_ = 1;
  return static_cast<int64_t>(head_.size() + items + tail_.size());
}

void List::NextParts() {
  part_ = part_count_ = 0;
  Record* record = stage_ == kTailPart || stage_ == kDone ? nullptr : NextItem();
  if (record == nullptr) {
    stage_ = stage_ == kTailPart || stage_ == kDone ? kDone : kTailPart;
    if (stage_ == kTailPart) parts_[part_count_++] = tail_;
    return;
  }
  stage_ = kItemParts;
  const bool json = encoding_ == kJson || encoding_ == kMetadataJson;
  if (json && written_ > 1) parts_[part_count_++] = ",";
  if (encoding_ == kJson) {
    parts_[part_count_++] = "{";
    parts_[part_count_++] = record->item_tail();
  } else if (encoding_ == kMetadataJson && shape_->type != nullptr) {
    parts_[part_count_++] = kPartialHead;
    parts_[part_count_++] = record->metadata();
    parts_[part_count_++] = "}";
  } else if (encoding_ == kProtobuf && record->proto() != nullptr) {
    scratch_.clear();
    AppendTag(2, 2, &scratch_);
    AppendVarint(record->proto()->raw_size, &scratch_);
    parts_[part_count_++] = scratch_;
    parts_[part_count_++] = record->proto()->raw();
  } else {
    scratch_.clear();
    AppendItem(*record, encoding_, &scratch_);
    parts_[part_count_++] = scratch_;
  }
}

size_t List::Read(char* target, size_t size) {
  size_t done = 0;
  while (done < size) {
    while (part_ == part_count_ && stage_ != kDone) NextParts();
    if (stage_ == kDone) break;
    std::string_view& part = parts_[part_];
    const size_t n = std::min(part.size(), size - done);
    std::memcpy(target + done, part.data(), n);
    done += n;
    part.remove_prefix(n);
    if (part.empty()) part_++;
  }
  return done;
}

}  // namespace klystron
