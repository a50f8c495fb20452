/**
 * Every pod runs as a ServiceAccount and gets its token, its CA and its namespace mounted.
 * Upstream: plugin/pkg/admission/serviceaccount.
 */
import type { StatusError } from "../../apimachinery/api/errors.ts";
import { randomSuffix } from "../../apimachinery/rand.ts";
import type { Container, Pod, ServiceAccount, Volume } from "../../apis/core/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";
import { namesSecrets } from "../pod-references.ts";

const SERVICE_ACCOUNTS = { group: "", resource: "serviceaccounts" };
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
const ENFORCE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets";
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
const SUFFIX_LENGTH = 5;
const DEFAULT_NAME = "default";
/** An hour, and the seconds by which the kubelet's clock may be off. */
const TOKEN_SECONDS = 3607;
/** The account of a namespace just made is made by a controller: it may be a moment late. */
const LOOKUP_TRIES_MAX = 10;
const LOOKUP_DELAY_MS = 100;

export interface ServiceAccountPluginOptions {
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

export function serviceAccountPlugin(
  listers: Listers,
  options: ServiceAccountPluginOptions = {},
): AdmissionPlugin<Pod> {
  const sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));

  const lookUp = async (namespace: string, name: string): Promise<ServiceAccount | undefined> => {
    const tries = name === DEFAULT_NAME ? LOOKUP_TRIES_MAX : 1;
    for (let left = tries; ; left--) {
      const found =
        (await listers.get<ServiceAccount>(SERVICE_ACCOUNTS, namespace, name)) ??
        (await listers.getFresh<ServiceAccount>(SERVICE_ACCOUNTS, namespace, name));
      if (found !== undefined || left <= 1) return found;
      await sleep(LOOKUP_DELAY_MS);
    }
  };
  const accountOf = async (attributes: DeepReadonly<Attributes<Pod>>) => {
    const { object, namespace } = attributes;
    const name = object.spec?.serviceAccountName || DEFAULT_NAME;
    const account = await lookUp(namespace, name);
    if (account !== undefined) return account;
    const missing = `serviceaccount ${JSON.stringify(name)} not found`;
    const what = `error looking up service account ${namespace}/${name}`;
    throw deny(attributes as DeepReadonly<Attributes>, `${what}: ${missing}`);
  };

  return {
    name: "ServiceAccount",

    handles(attributes) {
      const { operation, subresource, resource } = attributes;
      if (operation === "CREATE") return isResource(attributes as never, "", "pods");
      const isPods = resource.group === "" && resource.resource === "pods";
      return operation === "UPDATE" && isPods && subresource === "ephemeralcontainers";
    },

    async admit(attributes) {
      const { object, operation } = attributes;
      if (operation !== "CREATE") return;
      if (isMirror(object)) {
        const refusal = mirrorProblem(object);
        if (refusal !== undefined) throw deny(attributes as never, refusal);
        return;
      }
      object.spec ??= {};
      if (!object.spec.serviceAccountName) object.spec.serviceAccountName = DEFAULT_NAME;
      object.spec.serviceAccount = object.spec.serviceAccountName;
      useAccount(object, await accountOf(attributes as DeepReadonly<Attributes<Pod>>));
    },

    async validate(attributes) {
      const pod = attributes.object as DeepReadonly<Pod>;
      const isDebugging = attributes.operation === "UPDATE";
      if (!isDebugging && isMirror(pod)) {
        const refusal = mirrorProblem(pod);
        if (refusal !== undefined) throw deny(attributes, refusal);
        return;
      }
      if (isDebugging && !pod.spec?.serviceAccountName) throw withoutAccount(attributes);
      const account = await accountOf(attributes);
      if (account.metadata?.annotations?.[ENFORCE_ANNOTATION] !== "true") return;
      const refusal = unmountableSecret(pod, account, isDebugging);
      if (refusal !== undefined) throw deny(attributes, refusal);
    },
  };
}

function withoutAccount(attributes: DeepReadonly<Attributes>): StatusError {
  const { namespace, object } = attributes;
  const name = `${namespace}/${object.metadata?.name ?? ""}`;
  return deny(attributes, `no service account specified for pod ${name}`);
}

function isMirror({ metadata }: DeepReadonly<Pod>): boolean {
  return metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

function mirrorProblem({ spec }: DeepReadonly<Pod>): string | undefined {
  if (spec?.serviceAccountName) return "a mirror pod may not reference service accounts";
  if (namesSecrets(spec ?? {})) return "a mirror pod may not reference secrets";
  const tokens = (spec?.volumes ?? []).some(({ projected }) =>
    (projected?.sources ?? []).some((one) => one.serviceAccountToken !== undefined),
  );
  return tokens ? "a mirror pod may not use ServiceAccountToken volume projections" : undefined;
}

function containersOf(spec: Pod["spec"]): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

function mountsToken({ spec }: Pod, account: ServiceAccount): boolean {
  return spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

/** Mounts the account's token and pulls images with its secrets, where the pod has not its own. */
function useAccount(pod: Pod, account: ServiceAccount): void {
  if (mountsToken(pod, account)) mountToken(pod);
  if (account.imagePullSecrets === undefined || pod.spec === undefined) return;
  if ((pod.spec.imagePullSecrets ?? []).length > 0) return;
  pod.spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }));
}

/** Adds the projected volume, and its mount where a container has nothing at that path. */
function mountToken(pod: Pod): void {
  const { spec } = pod;
  if (spec === undefined) return;
  const volumes = spec.volumes ?? [];
  const present = volumes.find(({ name }) => name?.startsWith(VOLUME_PREFIX));
  const name = present?.name ?? VOLUME_PREFIX + randomSuffix(SUFFIX_LENGTH);
  let isNeeded = false;
  for (const container of containersOf(spec)) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }];
    isNeeded = true;
  }
  if (isNeeded && present === undefined) spec.volumes = [...volumes, tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  const fieldRef = { apiVersion: "v1", fieldPath: "metadata.namespace" };
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef }] } },
      ],
      defaultMode: 0o644,
    },
  };
}

/** Why a pod may not have a secret that its account does not list. */
function unmountableSecret(
  { spec }: DeepReadonly<Pod>,
  account: ServiceAccount,
  isDebugging: boolean,
): string | undefined {
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name ?? ""));
  const accountName = account.metadata?.name ?? "";
  const because = `is not allowed because service account ${accountName} does not reference that`;
  const inContainers = (what: string, containers: readonly SecretUser[]) =>
    firstOf(containers, (container) => {
      const place = referenceOutside(container, mountable);
      return place === undefined
        ? undefined
        : `${what} ${container.name} with ${place} ${because} secret`;
    });
  if (isDebugging) return inContainers("ephemeral container", spec?.ephemeralContainers ?? []);
  const pulls = new Set((account.imagePullSecrets ?? []).map(({ name }) => name ?? ""));
  return (
    firstOf(spec?.volumes ?? [], ({ secret }) =>
      secret === undefined || mountable.has(secret.secretName ?? "")
        ? undefined
        : `volume with secret.secretName="${secret.secretName}" ${because} secret`,
    ) ??
    inContainers("init container", spec?.initContainers ?? []) ??
    inContainers("container", spec?.containers ?? []) ??
    firstOf([...(spec?.imagePullSecrets ?? []).entries()], ([i, { name = "" }]) =>
      pulls.has(name)
        ? undefined
        : `imagePullSecrets[${i}].name="${name}" ${because} imagePullSecret`,
    )
  );
}

type SecretUser = DeepReadonly<Pick<Container, "name" | "env" | "envFrom">>;

/** Where a container takes a secret into its environment that is not in `mountable`. */
function referenceOutside(
  { env, envFrom }: SecretUser,
  mountable: ReadonlySet<string>,
): string | undefined {
  const text = (secret: string) => `referencing secret.secretName="${secret}"`;
  for (const { name, valueFrom } of env ?? []) {
    const secret = valueFrom?.secretKeyRef?.name;
    if (secret !== undefined && !mountable.has(secret)) return `envVar ${name} ${text(secret)}`;
  }
  for (const { secretRef } of envFrom ?? []) {
    const secret = secretRef?.name;
    if (secret !== undefined && !mountable.has(secret)) return `envFrom ${text(secret)}`;
  }
  return undefined;
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined) {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
