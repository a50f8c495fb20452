// M2: a Tree against std::map, with snapshots that must not change.
#include <map>
#include <string>
#include <vector>

#include "core/key.h"
#include "core/tree.h"
#include "test/check.h"

namespace klystron {
namespace {

void CheckSame(const Tree<Key>& tree, const std::map<std::string, int>& model) {
  CHECK(tree.size() == model.size());
  auto cursor = tree.From("");
  for (const auto& [text, _] : model) {
    Key* key = cursor.Next();
    CHECK(key != nullptr && key->text() == text);
  }
  CHECK(cursor.Next() == nullptr);
}

}  // namespace

void TestTree() {
  Random random{88172645463325252ull};
  std::map<std::string, int> model;
  Tree<Key> tree;
  std::vector<std::pair<Tree<Key>, std::map<std::string, int>>> snapshots;
  for (int step = 0; step < 20000; step++) {
    const bool grow = step % 8000 < 4500;
    const std::string text = "k" + std::to_string(random.Below(3000));
    if (random.Below(100) < (grow ? 75u : 20u)) {
      const bool had = model.count(text) > 0;
      CHECK(static_cast<bool>(tree.Put(Key::Make(text, false))) == had);
      model[text] = 1;
    } else {
      CHECK(static_cast<bool>(tree.Erase(text)) == (model.erase(text) > 0));
    }
    if (step % 1000 == 0) {
      snapshots.emplace_back(tree, model);
      if (snapshots.size() > 4) snapshots.erase(snapshots.begin());
      CheckSame(tree, model);
      for (const auto& [old, old_model] : snapshots) CheckSame(old, old_model);
      // Ranks agree with counting.
      const uint64_t before = static_cast<uint64_t>(std::distance(model.begin(), model.lower_bound(text)));
      CHECK(tree.Before(text).items == before);
      if (before < tree.size()) {
        auto cursor = tree.At(before);
        CHECK(cursor.Next()->text() == model.lower_bound(text)->first);
      }
    }
  }
  while (!model.empty()) {
    CHECK(static_cast<bool>(tree.Erase(model.begin()->first)));
    model.erase(model.begin());
  }
  CHECK(tree.size() == 0);
  snapshots.clear();
}

}  // namespace klystron
