// One writer, several readers of each sort; under TSan this is the proof of rules M1, R1-R5, G2.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/hub.h"
#include "core/list.h"
#include "core/resource.h"
#include "core/status.h"
#include "test/check.h"
#include "transcode/envelope.h"
#include "transcode/json_to_proto.h"
#include "transcode/type_table.h"

namespace klystron {
namespace {

constexpr int kChanges = 4000;
constexpr int kObjects = 64;

std::string Value(const std::string& name, const std::string& label, uint64_t version) {
  const StructType* type = TypeTable::Get().Find("k8s.io/api/core/v1.ConfigMap");
  std::string raw, head, tail;
  const std::string json = "{\"metadata\":{\"name\":\"" + name + "\",\"labels\":{\"l\":\"" + label + "\"}},\"data\":{\"v\":\"" + std::to_string(version) + "\"}}";
  CHECK(JsonToProto(*type, json, "", &raw) == kOk);
  EnvelopeAround(raw.size(), "ConfigMap", "v1", &head, &tail);
  return head + raw + tail;
}

std::shared_ptr<Resource> MakeResource(RingLimits limits) {
  auto shape = std::make_shared<Shape>();
  shape->name = "configmaps";
  shape->api_version = "v1";
  shape->kind = "ConfigMap";
  shape->type = TypeTable::Get().Find("k8s.io/api/core/v1.ConfigMap");
  shape->prefix = R"({"kind":"ConfigMap","apiVersion":"v1",)";
  return std::make_shared<Resource>(0, shape, limits);
}

// R4: objects `left` and `right` change together, always to the same version.
void ReadLists(const Resource& resource, const std::atomic<bool>& done) {
  uint64_t last = 0;
  while (!done.load()) {
    ListQuery query;
    const uint64_t now = resource.Revision();
    if (now % 3 == 0) query.revision = now > 20 ? now - 20 : now;
    List list;
    const int status = List::Open(resource, query, &list);
    if (status == kExpired || status == kTooNew) continue;
    CHECK(status == kOk);
    CHECK(list.Begin(now % 2 == 0 ? kJson : kProtobuf, "ConfigMapList", "v1", "") > 0);
    char chunk[777];
    while (list.Read(chunk, sizeof(chunk)) > 0) {}
    uint64_t left = 0, right = 0;
    for (uint64_t i = 0; i < list.count(); i++) {
      Record* record = list.Item(i);
      if (record->SortKey() == "left") left = record->revision();
      if (record->SortKey() == "right") right = record->revision();
    }
    CHECK(left == right);
    if (!query.revision.has_value()) {
      CHECK(list.revision() >= last);
      last = list.revision();
    }
  }
}

class CountingWaker : public Waker {
 public:
  void Wake(uint32_t) override { woken.fetch_add(1); }
  std::atomic<uint64_t> woken{0};
};

// R5: a selector's watch sees every change once, in order, as transitions that make sense.
void ReadWatch(std::shared_ptr<Resource> resource, const std::atomic<bool>& done, std::atomic<int>* seen) {
  auto waker = std::make_shared<CountingWaker>();
  resource->AddWaker(waker);
  Hub hub(resource);
  WatchQuery query;
  query.from = WatchQuery::kInitial;
  query.bookmarks = true;
  LabelRequirement requirement;
  requirement.key = "l";
  requirement.values = {"even"};
  query.selector.labels.push_back(requirement);
  Watch watch(resource, query);
  hub.Add(&watch);
  std::vector<Watch*> ready = {&watch};
  std::vector<bool> present(kObjects + 2, false);
  uint64_t last = 0;
  bool initial = true;
  for (bool ending = false;;) {
    const bool was_done = done.load();
    hub.Advance(&ready);
    for (Watch* one : ready) {
      do {
        std::vector<Piece> pieces;
        CHECK(one->Next(4096, 16, &pieces) == Watch::kReady);
        std::string frame;
        for (const Piece& piece : pieces) {
          if (piece.code == kInitialEnd) { initial = false; last = piece.revision; continue; }
          if (piece.code == kBookmark) continue;
          AppendFrame(*resource->shape(), piece, kJson, &frame);
          const std::string_view key = piece.record->SortKey();
          const size_t slot = key == "left" ? kObjects : key == "right" ? kObjects + 1 : std::stoul(std::string(key.substr(1)));
          CHECK(initial || piece.revision >= last);
          if (!initial) last = piece.revision;
          CHECK(present[slot] == (piece.code != kAdded));
          present[slot] = piece.code != kDeleted;
          seen->fetch_add(1);
        }
      } while (!one->caught_up());
    }
    ready.clear();
    if (ending) break;
    ending = was_done;
  }
  ListQuery list_query;
  list_query.selector = query.selector;
  List list;
  CHECK(List::Open(*resource, list_query, &list) == kOk);
  uint64_t count = 0;
  for (const bool one : present) count += one ? 1 : 0;
  CHECK(list.count() == count);
  hub.Remove(&watch);
  resource->RemoveWaker(waker.get());
  CHECK(waker->woken.load() > 0);
}

}  // namespace

void TestThreads() {
  RingLimits limits;
  limits.max_events = 100'000;
  auto resource = MakeResource(limits);
  resource->BeginFill();
  for (int i = 0; i < kObjects; i++) {
    const std::string name = "o" + std::to_string(i);
    CHECK(resource->FillPut(name, 1, Value(name, i % 2 == 0 ? "even" : "odd", 0)) == kOk);
  }
  CHECK(resource->CommitFill(2) == 0);
  std::atomic<bool> done{false};
  std::atomic<int> seen{0};
  std::vector<std::thread> threads;
  threads.emplace_back([&] { ReadLists(*resource, done); });
  threads.emplace_back([&] { ReadWatch(resource, done, &seen); });
  threads.emplace_back([&] { ReadWatch(resource, done, &seen); });
  Random random{99};
  uint64_t revision = 2;
  for (int i = 0; i < kChanges; i++) {
    revision++;
    const uint64_t kind = random.Below(10);
    const std::string name = "o" + std::to_string(random.Below(kObjects));
    if (kind == 0) {
      CHECK(resource->Put("left", revision, Value("left", "even", revision), true) == kOk);
      CHECK(resource->Put("right", revision, Value("right", "odd", revision), false) == kOk);
    } else if (kind < 3) {
      resource->Delete(name, revision, false);
    } else {
      CHECK(resource->Put(name, revision, Value(name, random.Below(2) == 0 ? "even" : "odd", revision), false) == kOk);
    }
    if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  CHECK(seen.load() > 100);
  const int64_t alive = resource->shape()->record_bytes.load();
  CHECK(alive > 0);
  // M1: dropping the resource gives everything back.
  auto shape = resource->shape();
  resource.reset();
  CHECK(shape->record_bytes.load() == 0);
}

}  // namespace klystron
