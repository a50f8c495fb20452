// A client's certificate message, whole, cut and changed.
#include <string>
#include <vector>

#include "core/certificate_message.h"
#include "test/check.h"

namespace klystron {
namespace {

std::string U24(size_t n) {
  return {static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
}

std::string Message(const std::vector<std::string>& certificates, bool tls13) {
  std::string list;
  for (const std::string& one : certificates) {
    list += U24(one.size()) + one;
    if (tls13) list += std::string("\0\2ab", 4);
  }
  return (tls13 ? std::string(1, '\0') : "") + U24(list.size()) + list;
}

std::string Pem(std::string_view bytes, bool tls13) {
  // Exactly as many bytes as there are: what reads beyond is found.
  const std::vector<unsigned char> copy(bytes.begin(), bytes.end());
  std::string out = "x";
  AppendPem(copy.data(), copy.size(), tls13, &out);
  CHECK(out[0] == 'x');
  return out.substr(1);
}

}  // namespace

void TestCertificates() {
  const std::string begin = "-----BEGIN CERTIFICATE-----\n", end = "-----END CERTIFICATE-----\n";
  Random random{99};
  for (const bool tls13 : {false, true}) {
    CHECK(Pem(Message({}, tls13), tls13).empty());
    CHECK(Pem(Message({"abc", "d"}, tls13), tls13) == begin + "YWJj\n" + end + begin + "ZA==\n" + end);
    CHECK(Pem(Message({""}, tls13), tls13).empty());
    const std::string whole = Message({std::string(100, 'a'), "b", std::string(70, 'c')}, tls13);
    for (size_t cut = 0; cut < whole.size(); cut++) CHECK(Pem({whole.data(), cut}, tls13).empty());
    CHECK(Pem(whole + "z", tls13).empty());
    for (int i = 0; i < 20000; i++) {
      std::string changed = whole;
      for (int n = 0; n < 3; n++) changed[random.Below(random.Below(2) ? 12 : changed.size())] = static_cast<char>(random.Next());
      Pem(changed, tls13);
    }
  }
}

}  // namespace klystron
