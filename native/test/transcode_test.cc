// Hostile input: cut, changed and nested values give an error or valid JSON, never a crash.
#include <string>

#include "core/status.h"
#include "test/check.h"
#include "transcode/envelope.h"
#include "transcode/json_check.h"
#include "transcode/json_tape.h"
#include "transcode/json_to_proto.h"
#include "transcode/json_writer.h"
#include "transcode/proto_to_json.h"
#include "transcode/values.h"

namespace klystron {
namespace {

constexpr std::string_view kPod = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":"u",
"resourceVersion":"5","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"b":"2","a":"1\u00e9\n"},"managedFields":[{"manager":"m",
"operation":"Update","time":"2026-02-03T04:05:06Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{".":{}}}}]},"spec":{"containers":[
{"name":"c","image":"i<>&","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{"limits":{"cpu":"1500m","memory":"1024Mi"}},
"livenessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":3}}],"nodeSelector":{"x":"y"},"terminationGracePeriodSeconds":0},
"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":null}]}})";

void RoundTrip(const StructType& type) {
  std::string proto, json, proto2, json2;
  CHECK(JsonToProto(type, kPod, "5", &proto) == kOk);
  CHECK(ProtoToJson(type, proto, "Pod", "v1", "5", &json) == kOk);
  CHECK(json.find(R"("limits":{"cpu":"1500m","memory":"1Gi"})") != std::string::npos);
  CHECK(json.find(R"("image":"i\u003c\u003e\u0026")") != std::string::npos);
  CHECK(json.find(R"("port":"http")") != std::string::npos);
  CHECK(json.find(R"("terminationGracePeriodSeconds":0)") != std::string::npos);
  CHECK(JsonToProto(type, json, "5", &proto2) == kOk);
  CHECK(ProtoToJson(type, proto2, "Pod", "v1", "5", &json2) == kOk);
  CHECK(json == json2);
}

void FuzzProto(const StructType& type) {
  std::string proto;
  CHECK(JsonToProto(type, kPod, "5", &proto) == kOk);
  Random random{1234567};
  JsonTape tape;
  for (int i = 0; i < 20000; i++) {
    std::string bad = proto;
    if (random.Below(3) == 0) bad.resize(random.Below(bad.size()));
    for (uint64_t k = random.Below(6); k > 0 && !bad.empty(); k--) {
      bad[random.Below(bad.size())] = static_cast<char>(random.Next());
    }
    // An own heap block, so that reading past it is seen.
    std::string json;
    if (ProtoToJson(type, std::string(bad), "Pod", "v1", "7", &json) == kOk) CHECK(tape.Parse(json));
    std::string envelope = std::string(kEnvelopeMagic) + bad;
    Envelope read;
    ReadEnvelope(envelope, &read);
    FirstField(bad, 1);
  }
}

void FuzzJson(const StructType& type) {
  Random random{7654321};
  constexpr std::string_view kPieces[] = {"{", "}", "[", "]", ":", ",", "\"", "\\", "null", "1e999", "-", "\xff", "\\ud800", "0"};
  for (int i = 0; i < 20000; i++) {
    std::string bad(kPod);
    if (random.Below(3) == 0) bad.resize(random.Below(bad.size()));
    for (uint64_t k = 1 + random.Below(4); k > 0; k--) {
      const std::string_view piece = kPieces[random.Below(std::size(kPieces))];
      bad.replace(random.Below(bad.size() + 1), random.Below(4), piece);
    }
    std::string proto, compact, json;
    if (JsonToProto(type, bad, "1", &proto) == kOk) {
      CHECK(ProtoToJson(type, proto, "Pod", "v1", "1", &json) == kOk);
    }
    CompactJson(bad, &compact);
  }
}

void Depth(const StructType& type) {
  std::string open;
  for (int i = 0; i < 100000; i++) open += "{\"a\":";
  std::string out;
  CHECK(JsonToProto(type, open, "1", &out) == kBadValue);
  CHECK(!CompactJson(std::string(100000, '['), &out));
  const StructType* schema = TypeTable::Get().Find("k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps");
  CHECK(schema != nullptr);
  // not: not: not: ... 5,000 deep, as a message and as JSON.
  std::string message, json = "{}";
  for (int i = 0; i < 5000; i++) {
    std::string outer;
    AppendBytesField(28, message, &outer);
    message = std::move(outer);
  }
  CHECK(ProtoToJson(*schema, message, {}, {}, {}, &out) == kBadValue);
  for (int i = 0; i < 400; i++) json = "{\"not\":" + json + "}";
  CHECK(JsonToProto(*schema, json, {}, &out) == kBadValue);
}

std::string Quantity(std::string_view text) {
  std::string out;
  return CanonicalQuantity(text, &out) ? out : "bad";
}

void Values() {
  const std::pair<std::string_view, std::string_view> quantities[] = {
      {"1000m", "1"}, {"0.5", "500m"}, {"1500m", "1500m"}, {"12000", "12k"}, {"1024Ki", "1Mi"}, {"1.5Gi", "1536Mi"},
      {"0", "0"}, {"0Mi", "0"}, {"1e3", "1e3"}, {"1E", "1E"}, {"-5", "-5"}, {"100000000n", "100m"}, {"1.0000000001", "1000000001n"},
      {"x", "bad"}, {"", "bad"}, {"1..2", "bad"}, {"1Kx", "bad"}, {"0.001Ki", "1024m"}, {"1000Mi", "1000Mi"}};
  for (const auto& [text, want] : quantities) {
    if (Quantity(text) != want) std::fprintf(stderr, "%s: %s\n", std::string(text).c_str(), Quantity(text).c_str());
    CHECK(Quantity(text) == want);
    if (want != "bad") CHECK(!IsCanonicalQuantity(text) || text == want);
  }
  int64_t seconds = 0;
  int32_t nanos = 0;
  std::string out;
  CHECK(ParseTime("1969-12-31T23:59:59+01:00", &seconds, &nanos) && seconds == -3601);
  AppendTime(seconds, 123456000, true, &out);
  CHECK(out == "1969-12-31T22:59:59.123456Z");
  CHECK(!ParseTime("2026-13-01T00:00:00Z", &seconds, &nanos));
  out.clear();
  AppendDuration(5'400'500'000'000, &out);
  CHECK(out == "1h30m0.5s");
  out.clear();
  AppendJsonString("a\"\\\n\x01\xff\xe2\x80\xa8<", &out);
  CHECK(out == R"("a\"\\\n\u0001\ufffd\u2028\u003c")");
  const std::pair<double, std::string_view> floats[] = {{0.1, "0.1"}, {1e21, "1e+21"}, {1e-7, "1e-7"}, {100, "100"}, {-1.5, "-1.5"}};
  for (const auto& [value, want] : floats) {
    out.clear();
    AppendFloat(value, false, &out);
    CHECK(out == want);
  }
}

}  // namespace

void TestTranscode() {
  const StructType* pod = TypeTable::Get().Find("k8s.io/api/core/v1.Pod");
  CHECK(pod != nullptr);
  Values();
  RoundTrip(*pod);
  FuzzProto(*pod);
  FuzzJson(*pod);
  Depth(*pod);
}

}  // namespace klystron
