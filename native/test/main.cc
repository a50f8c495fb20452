// Runs the core's tests without Node; node scripts/build-native.mjs --sanitize builds it twice.
#include <fstream>
#include <sstream>

#include "test/check.h"
#include "transcode/type_table.h"

int main(int count, char** arguments) {
  using namespace klystron;
  CHECK(count > 1);
  std::ifstream file(arguments[1]);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(TypeTable::Get().Load(text.str(), "") > 1000);
  TestTree();
  TestTranscode();
  TestThreads();
  TestCertificates();
  std::puts("tree, transcode, threads, certificates: ok");
}
