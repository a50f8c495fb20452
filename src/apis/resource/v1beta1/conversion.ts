/**
 * v1beta1 to v1 and back: what v1 has under `exactly` and in the device itself, v1beta1 has in the
 * request and under `basic`. Upstream: pkg/apis/resource/v1beta1/conversion.go.
 */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import type * as v1 from "../v1/types.ts";
import type * as v1beta1 from "./types.ts";

type Of<T> = Omit<T, "metadata"> & KubeObject;

const V1 = "resource.k8s.io/v1";
const V1BETA1 = "resource.k8s.io/v1beta1";

/** The stored form of a claim. */
export function claimToV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1beta1.ResourceClaim>;
  return { ...rest, apiVersion: V1, ...(spec === undefined ? {} : { spec: specToV1(spec) }) };
}

/** A claim as v1beta1 has it. */
export function claimFromV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1.ResourceClaim>;
  const inner = spec === undefined ? {} : { spec: specFromV1(spec) };
  return { ...rest, apiVersion: V1BETA1, ...inner };
}

/** The stored form of a claim's template. */
export function templateToV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1beta1.ResourceClaimTemplate>;
  if (spec?.spec === undefined) return { ...object, apiVersion: V1 };
  return { ...rest, apiVersion: V1, ...{ spec: { ...spec, spec: specToV1(spec.spec) } } };
}

/** A claim's template as v1beta1 has it. */
export function templateFromV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1.ResourceClaimTemplate>;
  if (spec?.spec === undefined) return { ...object, apiVersion: V1BETA1 };
  return { ...rest, apiVersion: V1BETA1, ...{ spec: { ...spec, spec: specFromV1(spec.spec) } } };
}

function specToV1({ devices, ...rest }: v1beta1.ResourceClaimSpec): v1.ResourceClaimSpec {
  if (devices === undefined) return rest;
  const { requests, ...others } = devices;
  const out: v1.DeviceClaim = { ...others };
  if (requests !== undefined) out.requests = requests.map(requestToV1);
  return { ...rest, devices: out };
}

function requestToV1(request: v1beta1.DeviceRequest): v1.DeviceRequest {
  const { name, firstAvailable, ...exactly } = request;
  const out: v1.DeviceRequest = {};
  if (name !== undefined) out.name = name;
  if (Object.values(exactly).some((value) => value !== undefined)) out.exactly = exactly;
  if (firstAvailable !== undefined) out.firstAvailable = firstAvailable;
  return out;
}

function specFromV1({ devices, ...rest }: v1.ResourceClaimSpec): v1beta1.ResourceClaimSpec {
  if (devices === undefined) return rest;
  const { requests, ...others } = devices;
  const out: v1beta1.DeviceClaim = { ...others };
  if (requests !== undefined) {
    out.requests = requests.map(({ exactly, ...request }) => ({ ...request, ...exactly }));
  }
  return { ...rest, devices: out };
}

/** The stored form of a slice. */
export function sliceToV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1beta1.ResourceSlice>;
  if (spec === undefined) return { ...rest, apiVersion: V1 };
  const { devices, ...others } = spec;
  const out: v1.ResourceSliceSpec = { ...others };
  if (devices !== undefined) {
    out.devices = devices.map(({ basic, ...device }) => ({ ...device, ...basic }));
  }
  return { ...rest, apiVersion: V1, ...{ spec: out } };
}

/** A slice as v1beta1 has it. */
export function sliceFromV1(object: KubeObject): KubeObject {
  const { spec, ...rest } = object as Of<v1.ResourceSlice>;
  if (spec === undefined) return { ...rest, apiVersion: V1BETA1 };
  const { devices, ...others } = spec;
  const out: v1beta1.ResourceSliceSpec = { ...others };
  if (devices !== undefined) {
    out.devices = devices.map(({ name, ...basic }) => ({
      ...(name === undefined ? {} : { name }),
      basic,
    }));
  }
  return { ...rest, apiVersion: V1BETA1, ...{ spec: out } };
}
