/**
 * The API in one process: node:https front, the in-memory store. For trying handlers by hand.
 * usage: node --import tsx test/tools/dev-server.ts PORT [PLUGIN,PLUGIN]   (token: admin-token)
 */

import { createPlugins } from "../../src/admission/plugins/plugins.ts";
import { structOf } from "../../src/apis/schemas.ts";
import { commonNameOf } from "../../src/authentication/x509/certificate-request.ts";
import { createApi } from "../../src/endpoints/api.ts";
import { builtInGroups } from "../../src/endpoints/discovery/resources.ts";
import { discoveryPaths } from "../../src/endpoints/discovery-paths.ts";
import { resourcesOfKind } from "../../src/gates-admission.ts";
import { FeatureGates } from "../../src/options/feature-gates.ts";
import { createAdmissionWriter } from "../../src/registry/admission-writer.ts";
import { installResources } from "../../src/registry/install.ts";
import { createListers } from "../../src/registry/listers.ts";
import type { ReceivedRequest } from "../../src/request/request.ts";
import { defaultLimits } from "../../src/server/front.ts";
import { NodeFront } from "../../src/server/front-node.ts";
import { issue } from "../../src/server/pki/certificate.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { createRuntimeCodec } from "../../src/storage/runtime-codec.ts";

const port = Number(process.argv[2] ?? "21001");
const backend = createModelBackend();
const storage = createStorageFactory(backend, { codec: createRuntimeCodec(structOf) });
const served = installResources({
  storage,
  hookSettings: {
    serviceClusterIpRanges: ["10.0.0.0/24"],
    serviceNodePortRange: { first: 30000, last: 32767 },
    backend,
    etcdPrefix: "/registry",
  },
  isServed: (resource) => resource.default,
  storageMediaType: "protobuf",
});
const groups = builtInGroups();
const gates = new FeatureGates();
const admin = {
  name: "admin",
  uid: "",
  groups: ["system:masters", "system:authenticated"],
  extra: {},
};
const api = createApi({
  served,
  settings: {
    gate: (name) => gates.gate(name),
    allowPrivileged: true,
    eventTtlSeconds: 3600,
    minRequestTimeoutSeconds: 1800,
    deleteCollectionWorkers: 1,
  },
  admission: createPlugins(
    {
      listers: createListers(() => served),
      writer: createAdmissionWriter(
        () => served,
        (name) => gates.gate(name),
      ),
      mayUser: async () => ({ allowed: true, reason: "" }),
      commonNameOf,
      resourcesOfKind: (group, version, kind) => resourcesOfKind(served, group, version, kind),
      gate: (name) => gates.gate(name),
      tolerationSeconds: { notReady: 300, unreachable: 300 },
      maySigner: async () => true,
      organizationsOf: () => [],
    },
    { enabled: (process.argv[3] ?? "").split(",").filter(Boolean), disabled: [] },
  ),
  authenticate: (request: ReceivedRequest) =>
    request.headers.get("authorization") === "Bearer admin-token"
      ? Object.assign(request, { user: admin })
      : undefined,
  impersonate: (request) => request,
  authorizer: { name: "all", authorize: () => ({ decision: "Allow", reason: "" }) },
  storeHealth: async () => undefined,
  apiAudiences: [],
  paths: discoveryPaths({ groups: () => groups, serverAddress: `127.0.0.1:${port}` }),
  onError: (_request, error) => console.error(error),
});
const ca = issue({
  subject: { commonName: "dev" },
  usage: "server",
  names: ["127.0.0.1"],
  days: 10,
});
const front = new NodeFront({ serve: (request) => api.serve(request) });
await front.listen({
  host: "127.0.0.1",
  port,
  limits: defaultLimits,
  tls: {
    certificate: ca.certificate,
    key: ca.key,
    clientAuthorities: undefined,
    sni: [],
    minVersion: "TLSv1.2",
    cipherSuites: undefined,
  },
});
console.log(`listening on ${port}`);
