import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FeatureGates } from "../../src/options/feature-gates.ts";
import { splitCsv } from "../../src/options/flag-spec.ts";
import { flagGroups, flagTable } from "../../src/options/flags.ts";
import { helpText } from "../../src/options/help.ts";
import { parseOptions, printFlags, type ServerOptions } from "../../src/options/options.ts";
import { UsageError } from "../../src/options/pflag.ts";
import { isServed } from "../../src/options/runtime-config.ts";
import { unimplementedFlags } from "../../src/options/unimplemented.ts";

function serve(...args: string[]): { options: ServerOptions; warnings: readonly string[] } {
  const invocation = parseOptions(args, 4);
  assert.equal(invocation.kind, "serve");
  return invocation;
}
const flagsOf = (...args: string[]) => serve(...args).options.flags;

const failures: readonly [string, RegExp | string][] = [
  ["--nope", "unknown flag: --nope"],
  ["--nope=1", "unknown flag: --nope"],
  ["-x", "unknown shorthand flag: 'x' in -x"],
  ["--secure-port", "flag needs an argument: --secure-port"],
  ["--=x", "bad flag syntax: --=x"],
  [
    "--secure-port=abc",
    'invalid argument "abc" for "--secure-port" flag: strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  [
    "-v=x",
    'invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    "--profiling=maybe",
    'invalid argument "maybe" for "--profiling" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [
    "--event-ttl=soon",
    'invalid argument "soon" for "--event-ttl" flag: time: invalid duration "soon"',
  ],
  ["--bind-address=x", 'invalid argument "x" for "--bind-address" flag: failed to parse IP: "x"'],
  ["serve", '"kube-apiserver" does not take any arguments, got ["serve"]'],
  ["--insecure-port=8080", /only zero is allowed/],
  [
    "--secure-port=0",
    "--secure-port 0 must be between 1 and 65535, inclusive. It cannot be turned off with 0",
  ],
  ["--feature-gates=Nope=true", "unrecognized feature gate: Nope"],
  [
    "--feature-gates=NodeSwap=false",
    "cannot set feature gate NodeSwap to false, feature is locked to true",
  ],
  ["--feature-gates=WatchList=x", /invalid value of WatchList=x, err: strconv.ParseBool/],
  ["--feature-gates=WatchList", "missing bool value for WatchList"],
  ["--runtime-config=nope.io/v1=true", "unknown api groups nope.io"],
  ["--runtime-config=apps/v1=maybe", "invalid value of apps/v1=maybe"],
  ["--authorization-mode=Nope", 'authorization-mode "Nope" is not a valid mode'],
  [
    "--authorization-mode=Webhook",
    "authorization-mode Webhook's authorization config file not passed",
  ],
  ["--authorization-mode=RBAC,RBAC", /has mode specified more than once/],
  ["--tls-cert-file=x", "--tls-cert-file and --tls-private-key-file must be specified together"],
  ["--enable-admission-plugins=Nope", 'enable-admission-plugins plugin "Nope" is unknown'],
  ["--storage-media-type=text/plain", /storage-media-type "text\/plain" invalid/],
  ["--service-cluster-ip-range=10.0.0.0/24,10.1.0.0/24", /different IP family/],
  ["--service-cluster-ip-range=10.0.0.0", "--service-cluster-ip-range is not a valid cidr"],
  ["--cors-allowed-origins=example.com", /cors-allowed-origins has an invalid regular expression/],
  ["--goaway-chance=0.5", "--goaway-chance can not be less than 0 or greater than 0.02"],
  ["--oidc-client-id=x", /oidc-issuer-url and oidc-client-id must be specified together/],
  ["--service-node-port-range=5-4", /end port cannot be less than start port/],
];
for (const [arg, message] of failures) {
  test(`${arg} is refused`, () => {
    assert.throws(
      () => parseOptions([arg], 4),
      (error) => {
        assert.ok(error instanceof UsageError);
        if (typeof message === "string") assert.equal(error.message, message);
        else assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("several errors come together", () => {
  assert.throws(
    () => parseOptions(["--secure-port=0", "--request-timeout=-1s"], 4),
    /^UsageError: \[--request-timeout can not be negative value, --secure-port 0 .*\]$/,
  );
});

test("values take every form of pflag", () => {
  assert.equal(flagsOf("--secure-port", "1")["secure-port"], 1);
  assert.equal(flagsOf("--secure-port=0x10")["secure-port"], 16);
  assert.equal(flagsOf("--secure_port=7")["secure-port"], 7);
  assert.equal(flagsOf("--profiling=false").profiling, false);
  assert.equal(flagsOf("--allow-privileged")["allow-privileged"], true);
  for (const v of [["-v4"], ["-v=4"], ["-v", "4"], ["--v=4"], ["--v", "4"]]) {
    assert.equal(flagsOf(...v).v, 4);
  }
  assert.deepEqual(
    flagsOf("--etcd-servers=http://a,http://b", "--etcd-servers", "http://c")["etcd-servers"],
    ["http://a", "http://b", "http://c"],
  );
  assert.deepEqual(flagsOf("--service-account-issuer=https://a,b")["service-account-issuer"], [
    "https://a,b",
  ]);
  assert.equal(flagsOf("--event-ttl=1h30m")["event-ttl"], 5_400_000);
  const types = "kubelet-preferred-address-types";
  assert.deepEqual(flagsOf(`--${types}=InternalIP`)[types], ["InternalIP"]);
  assert.deepEqual(flagsOf("--service-node-port-range=100+9")["service-node-port-range"], {
    base: 100,
    size: 10,
  });
  assert.deepEqual(flagsOf("--tls-sni-cert-key=a,b:*.x.y,z")["tls-sni-cert-key"], [
    { certFile: "a", keyFile: "b", names: ["*.x.y", "z"] },
  ]);
});
test("CSV fields may be quoted", () => {
  assert.deepEqual(splitCsv('a,"b,c","d""e"'), ["a", "b,c", 'd"e']);
  assert.throws(() => splitCsv('a"b'));
});

test("what is derived follows the store", () => {
  const alone = serve().options;
  assert.equal(alone.embedded, true);
  assert.equal(alone.standalone, true);
  assert.deepEqual(alone.authorizationModes, ["Node", "RBAC"]);
  assert.equal(alone.frontThreads, 3);
  const cluster = serve("--etcd-servers=http://127.0.0.1:2379").options;
  assert.equal(cluster.embedded, false);
  assert.equal(cluster.standalone, false);
  assert.deepEqual(cluster.authorizationModes, ["AlwaysAllow"]);
  assert.equal(serve("--standalone=false").options.standalone, false);
});

test("removed and unimplemented flags warn once", () => {
  const { warnings } = serve(
    "--insecure-port=0",
    "--insecure-port=0",
    "--cloud-provider=",
    "--vmodule=a=1",
  );
  assert.deepEqual(warnings, [
    "Flag --insecure-port has been deprecated, it was removed from kube-apiserver in v1.24 and has no effect",
    "Flag --cloud-provider has been deprecated, it was removed from kube-apiserver in v1.33 and has no effect",
    "Flag --vmodule has no effect yet in this server",
  ]);
});
test("every unimplemented flag exists", () => {
  for (const name of unimplementedFlags) assert.ok(name in flagTable, name);
});

test("feature gates: defaults, single ones and whole stages", () => {
  const gates = (text: string) =>
    new FeatureGates(serve(`--feature-gates=${text}`).options.featureGateOverrides);
  assert.equal(gates("").gate("WatchList"), true);
  assert.equal(gates("kube:WatchList=false").gate("WatchList"), false);
  assert.equal(gates("AllAlpha=true").gate("CBORServingAndStorage"), true);
  assert.equal(
    gates("AllAlpha=true,CBORServingAndStorage=false").gate("CBORServingAndStorage"),
    false,
  );
  assert.throws(() => gates("").gate("Nope"));
  assert.equal([...gates("").all()].length, 239);
});

test("runtime-config: the most specific switch decides", () => {
  const served = (text: string, group: string, version: string, resource: string) => {
    const { runtimeConfig } = serve(`--runtime-config=${text}`).options;
    return isServed(runtimeConfig, {
      group,
      version,
      resource,
      default: !version.includes("beta"),
    });
  };
  assert.equal(served("", "apps", "v1", "deployments"), true);
  assert.equal(served("apps/v1=false", "apps", "v1", "deployments"), false);
  assert.equal(served("apps/v1=false,apps/v1/deployments=true", "apps", "v1", "deployments"), true);
  assert.equal(served("api/all=false", "", "v1", "pods"), false);
  assert.equal(served("api/all=false,v1=true", "", "v1", "pods"), true);
  assert.equal(served("api/beta=true", "storage.k8s.io", "v1beta1", "x"), true);
});

test("--help and --version", () => {
  assert.deepEqual(parseOptions(["--help"], 1), { kind: "help" });
  assert.deepEqual(parseOptions(["-h"], 1), { kind: "help" });
  assert.deepEqual(parseOptions(["--version=raw"], 1), { kind: "version", form: "raw" });
  const text = helpText();
  for (const [, table] of flagGroups) {
    for (const name of Object.keys(table)) assert.ok(text.includes(`--${name}`), name);
  }
  assert.ok(text.split("\n").every((line) => line.length <= 100 || !line.includes(" ", 60)));
});
test("every flag prints its default", () => {
  for (const [name, text] of printFlags(flagsOf())) assert.equal(typeof text, "string", name);
});

const reference = new URL("../../../shared/reference/flags.md", import.meta.url);
test("the tables hold every flag of the reference", { skip: !existsSync(reference) }, () => {
  const text = readFileSync(reference, "utf8").split("\n## ")[0] ?? "";
  for (const line of text.split("\n").filter((row) => row.startsWith("| --"))) {
    for (const [, name = ""] of (line.split("|")[1] ?? "").matchAll(/--([a-z0-9-]+)/g)) {
      assert.ok(name in flagTable || name === "help", `--${name}`);
    }
  }
});
