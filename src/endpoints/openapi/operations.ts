/**
 * The operations of every served resource, free of the document's version.
 * Upstream: apiserver/pkg/endpoints/installer.go, kube-openapi's naming of operations.
 */
import type { BuiltInResource, BuiltInSubresource } from "../../apis/schemas.ts";
import { operationText } from "./operation-texts.ts";

export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
}

/** A kind an operation takes or gives; `text` is a plain string. */
export type Content =
  | { readonly kind: string; readonly group: string; readonly version: string }
  | "DeleteOptions"
  | "Patch"
  | "Status"
  | "WatchEvent"
  | "text";

export interface Operation {
  readonly path: string;
  readonly method: Method;
  readonly operationId: string;
  readonly tag: string;
  readonly action: string;
  readonly description: string;
  readonly gvk: { readonly group: string; readonly version: string; readonly kind: string };
  /** Where parameters have texts of their own: `patch`, `PodExec`. */
  readonly texts?: string;
  /** By name, as upstream sorts them. */
  readonly parameters: readonly Parameter[];
  readonly body?: Content;
  readonly bodyRequired?: boolean;
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  /** Status codes of success and what they carry. */
  readonly answers: readonly { readonly code: number; readonly content: Content }[];
}

const OBJECT_TYPES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];
const STREAM_TYPES = [
  ...OBJECT_TYPES,
  "application/json;stream=watch",
  "application/vnd.kubernetes.protobuf;stream=watch",
];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const ANY = ["*/*"];

const query = (type: Parameter["type"], ...names: string[]): Parameter[] =>
  names.map((name) => ({ name, in: "query", type }));
const inPath = (name: string): Parameter => ({ name, in: "path", type: "string" });

const PRETTY = query("string", "pretty");
const LIST = [
  ...query("boolean", "allowWatchBookmarks"),
  ...query("string", "continue", "fieldSelector", "labelSelector"),
  ...query("integer", "limit"),
  ...query("string", "resourceVersion", "resourceVersionMatch"),
  ...query("boolean", "sendInitialEvents"),
  ...query("string", "shardSelector"),
  ...query("integer", "timeoutSeconds"),
  ...query("boolean", "watch"),
];
const WRITE = query("string", "dryRun", "fieldManager", "fieldValidation");
const DELETE = [
  ...query("string", "dryRun"),
  ...query("integer", "gracePeriodSeconds"),
  ...query("boolean", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents"),
  ...query("string", "propagationPolicy"),
];
const DELETE_COLLECTION = [...DELETE, ...LIST.filter((p) => !/^(allowWatch|watch)/.test(p.name))];

/** Query parameters of the options kinds that connect subresources and logs take. */
const CONNECT: Readonly<Record<string, readonly Parameter[]>> = {
  exec: [
    ...query("string", "command", "container"),
    ...query("boolean", "stderr", "stdin", "stdout", "tty"),
  ],
  attach: [
    ...query("string", "container"),
    ...query("boolean", "stderr", "stdin", "stdout", "tty"),
  ],
  portforward: query("integer", "ports"),
  proxy: query("string", "path"),
  log: [
    ...query("string", "container"),
    ...query("boolean", "follow", "insecureSkipTLSVerifyBackend"),
    ...query("integer", "limitBytes"),
    ...query("boolean", "previous"),
    ...query("integer", "sinceSeconds"),
    ...query("string", "stream"),
    ...query("integer", "tailLines"),
    ...query("boolean", "timestamps"),
  ],
};
const CONNECT_NAMES = new Set(["exec", "attach", "portforward", "proxy"]);
const PROXY_METHODS: readonly Method[] = [
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
];

const title = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `rbac.authorization.k8s.io` → `rbacAuthorization`; the core group is `core`. */
export function groupTag(group: string): string {
  if (group === "") return "core";
  const labels = group.replace(/\.k8s\.io$/, "").split(".");
  return labels.map((label, i) => (i === 0 ? label : title(label))).join("");
}

interface Scope {
  readonly resource: BuiltInResource;
  readonly tag: string;
  /** `CoreV1`. */
  readonly prefix: string;
  readonly root: string;
  readonly collection: string;
  readonly item: string;
  readonly scoped: readonly Parameter[];
  /** `NamespacedPod` or `Node`. */
  readonly noun: string;
}

/** Every operation of a resource and its subresources, watches under `/watch` included. */
export function operationsOf(resource: BuiltInResource): Operation[] {
  const { group, version, namespaced } = resource;
  const tag = groupTag(group);
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = `${namespaced ? "/namespaces/{namespace}" : ""}/${resource.resource}`;
  const scope: Scope = {
    resource,
    tag: `${tag}_${version}`,
    prefix: title(tag) + title(version),
    root,
    collection,
    item: `${collection}/{name}`,
    scoped: namespaced ? [inPath("namespace")] : [],
    noun: `${namespaced ? "Namespaced" : ""}${resource.kind}`,
  };
  return [
    ...collectionOperations(scope),
    ...itemOperations(scope),
    ...watchOperations(scope),
    ...resource.subresources.flatMap((sub) => subresourceOperations(scope, sub)),
  ];
}

type Details = Omit<Operation, "tag" | "gvk" | "description"> & {
  gvk?: Operation["gvk"];
  sub?: string;
};

const byNameIn = (a: Parameter, b: Parameter) =>
  a.name === b.name ? (a.in < b.in ? -1 : 1) : a.name < b.name ? -1 : 1;

function operation({ resource, tag, root }: Scope, { sub, ...details }: Details): Operation {
  const { group, version, kind, verbs } = resource;
  const { action, method } = details;
  const described = { action, method, kind, watchable: verbs.includes("watch") };
  return {
    tag,
    gvk: { group, version, kind },
    description: operationText(sub === undefined ? described : { ...described, sub }),
    ...details,
    path: root + details.path,
    parameters: [...details.parameters].sort(byNameIn),
  };
}

function collectionOperations(scope: Scope): Operation[] {
  const { resource, prefix, noun, collection, scoped } = scope;
  const { group, version, kind, verbs } = resource;
  const self: Content = { group, version, kind };
  const list: Content = { group, version, kind: `${kind}List` };
  const found: Operation[] = [];
  const listed = (path: string, operationId: string, parameters: readonly Parameter[]) =>
    operation(scope, {
      path,
      method: "get",
      operationId,
      action: "list",
      parameters: [...parameters, ...LIST, ...PRETTY],
      consumes: ANY,
      produces: STREAM_TYPES,
      answers: [{ code: 200, content: list }],
    });
  if (verbs.includes("list")) {
    found.push(listed(collection, `list${prefix}${noun}`, scoped));
    if (resource.namespaced) {
      found.push(listed(`/${resource.resource}`, `list${prefix}${kind}ForAllNamespaces`, []));
    }
  }
  if (verbs.includes("create")) {
    found.push(
      operation(scope, {
        path: collection,
        method: "post",
        operationId: `create${prefix}${noun}`,
        action: "post",
        parameters: [...scoped, ...WRITE, ...PRETTY],
        body: self,
        bodyRequired: true,
        consumes: ANY,
        produces: OBJECT_TYPES,
        answers: [200, 201, 202].map((code) => ({ code, content: self })),
      }),
    );
  }
  if (verbs.includes("deletecollection")) {
    found.push(
      operation(scope, {
        path: collection,
        method: "delete",
        operationId: `delete${prefix}Collection${noun}`,
        action: "deletecollection",
        parameters: [...scoped, ...DELETE_COLLECTION, ...PRETTY],
        body: "DeleteOptions",
        consumes: ANY,
        produces: OBJECT_TYPES,
        answers: [{ code: 200, content: "Status" }],
      }),
    );
  }
  return found;
}

/** Kinds whose deletion answers with the object rather than a Status. */
const DELETE_GIVES_OBJECT = new Set([
  "pods",
  "services",
  "persistentvolumes",
  "persistentvolumeclaims",
  "podtemplates",
  "resourcequotas",
  "serviceaccounts",
]);

function deletedContent({ resource }: Scope): Content {
  const { group, version, kind } = resource;
  const isObject =
    (group === "" && DELETE_GIVES_OBJECT.has(resource.resource)) ||
    group === "resource.k8s.io" ||
    (group === "storage.k8s.io" && kind !== "CSIStorageCapacity");
  return isObject ? { group, version, kind } : "Status";
}

function itemOperations(scope: Scope): Operation[] {
  const { resource, item } = scope;
  const { group, version, kind, verbs } = resource;
  const self: Content = { group, version, kind };
  return objectOperations(scope, { path: item, verbs, content: self }).concat(
    verbs.includes("delete")
      ? operation(scope, {
          path: item,
          method: "delete",
          operationId: `delete${scope.prefix}${scope.noun}`,
          action: "delete",
          parameters: [inPath("name"), ...scope.scoped, ...DELETE, ...PRETTY],
          body: "DeleteOptions",
          consumes: ANY,
          produces: OBJECT_TYPES,
          answers: [200, 202].map((code) => ({ code, content: deletedContent(scope) })),
        })
      : [],
  );
}

interface ObjectTarget {
  readonly path: string;
  /** The subresource; absent for the object itself. */
  readonly sub?: string;
  readonly verbs: readonly string[];
  readonly content: Exclude<Content, string>;
}

/** get, put and patch of an object or of a subresource with the object's shape. */
function objectOperations(scope: Scope, target: ObjectTarget): Operation[] {
  const { path, sub, verbs, content } = target;
  const { prefix, noun, scoped } = scope;
  const suffix = title(sub ?? "");
  const common = {
    path,
    gvk: content,
    produces: OBJECT_TYPES,
    ...(sub === undefined ? {} : { sub }),
  };
  const named = [inPath("name"), ...scoped];
  const found: Operation[] = [];
  if (verbs.includes("get")) {
    found.push(
      operation(scope, {
        ...common,
        method: "get",
        operationId: `read${prefix}${noun}${suffix}`,
        action: "get",
        parameters: [...named, ...PRETTY],
        consumes: ANY,
        answers: [{ code: 200, content }],
      }),
    );
  }
  const written = [200, 201].map((code) => ({ code, content }));
  if (verbs.includes("update")) {
    found.push(
      operation(scope, {
        ...common,
        method: "put",
        operationId: `replace${prefix}${noun}${suffix}`,
        action: "put",
        parameters: [...named, ...WRITE, ...PRETTY],
        body: content,
        bodyRequired: true,
        consumes: ANY,
        answers: written,
      }),
    );
  }
  if (verbs.includes("patch")) {
    found.push(
      operation(scope, {
        ...common,
        method: "patch",
        operationId: `patch${prefix}${noun}${suffix}`,
        action: "patch",
        texts: "patch",
        parameters: [...named, ...WRITE, ...query("boolean", "force"), ...PRETTY],
        body: "Patch",
        bodyRequired: true,
        consumes: PATCH_TYPES,
        answers: written,
      }),
    );
  }
  return found;
}

function watchOperations(scope: Scope): Operation[] {
  const { resource, prefix, noun, collection, item, scoped } = scope;
  if (!resource.verbs.includes("watch")) return [];
  const watch = (
    path: string,
    operationId: string,
    { action, parameters }: { action: string; parameters: readonly Parameter[] },
  ) =>
    operation(scope, {
      path: `/watch${path}`,
      method: "get",
      operationId,
      action,
      parameters: [...parameters, ...LIST, ...PRETTY],
      consumes: ANY,
      produces: STREAM_TYPES,
      answers: [{ code: 200, content: "WatchEvent" }],
    });
  const found = [
    watch(item, `watch${prefix}${noun}`, {
      action: "watch",
      parameters: [inPath("name"), ...scoped],
    }),
    watch(collection, `watch${prefix}${noun}List`, { action: "watchlist", parameters: scoped }),
  ];
  if (resource.namespaced) {
    const operationId = `watch${prefix}${resource.kind}ListForAllNamespaces`;
    found.push(
      watch(`/${resource.resource}`, operationId, { action: "watchlist", parameters: [] }),
    );
  }
  return found;
}

function subresourceOperations(scope: Scope, sub: BuiltInSubresource): Operation[] {
  const path = `${scope.item}/${sub.name}`;
  const suffix = title(sub.name);
  const { group, version } = { ...scope.resource, ...sub };
  const content = { group, version, kind: sub.kind };
  const named = [inPath("name"), ...scope.scoped];
  if (CONNECT_NAMES.has(sub.name)) return connectOperations(scope, sub);
  if (sub.name === "log") {
    return [
      operation(scope, {
        path,
        method: "get",
        operationId: `read${scope.prefix}${scope.noun}Log`,
        action: "get",
        sub: "log",
        texts: `${scope.resource.kind}Log`,
        parameters: [...named, ...(CONNECT["log"] ?? []), ...PRETTY],
        consumes: ANY,
        produces: ["text/plain", ...OBJECT_TYPES],
        answers: [{ code: 200, content: "text" }],
      }),
    ];
  }
  const found = objectOperations(scope, { path, sub: sub.name, verbs: sub.verbs, content });
  if (!sub.verbs.includes("create")) return found;
  return [
    ...found,
    operation(scope, {
      path,
      gvk: content,
      sub: sub.name,
      method: "post",
      operationId: `create${scope.prefix}${scope.noun}${suffix}`,
      action: "post",
      parameters: [...named, ...WRITE, ...PRETTY],
      body: content,
      bodyRequired: true,
      consumes: ANY,
      produces: OBJECT_TYPES,
      answers: [200, 201, 202].map((code) => ({ code, content })),
    }),
  ];
}

function connectOperations(scope: Scope, sub: BuiltInSubresource): Operation[] {
  const methods: readonly Method[] = sub.name === "proxy" ? PROXY_METHODS : ["get", "post"];
  const path = `${scope.item}/${sub.name}`;
  const named = [inPath("name"), ...scope.scoped];
  const { group, version } = scope.resource;
  const connect = (
    method: Method,
    at: string,
    { suffix, extra }: { suffix: string; extra: Parameter[] },
  ) =>
    operation(scope, {
      path: at,
      gvk: { group, version, kind: sub.kind },
      sub: sub.name,
      texts: `${scope.resource.kind}${title(sub.name)}`,
      method,
      operationId: `connect${scope.prefix}${title(method)}${scope.noun}${title(sub.name)}${suffix}`,
      action: "connect",
      parameters: [...named, ...extra, ...(CONNECT[sub.name] ?? [])],
      consumes: ANY,
      produces: ANY,
      answers: [{ code: 200, content: "text" }],
    });
  const plain = methods.map((method) => connect(method, path, { suffix: "", extra: [] }));
  if (sub.name !== "proxy") return plain;
  const rest = { suffix: "WithPath", extra: [inPath("path")] };
  return [...plain, ...methods.map((method) => connect(method, `${path}/{path}`, rest))];
}
