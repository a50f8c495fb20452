/**
 * The types of CEL: what a declared variable, a function's argument or an expression has.
 * Upstream: cel-go common/types; apiserver/pkg/cel/types.go.
 */

export type ScalarKind = "bool" | "int" | "uint" | "double" | "null" | "duration" | "timestamp";

/** A field of an object type: its type, and the property of the JSON object that holds it. */
export interface CelField {
  readonly type: CelType;
  readonly property: string;
}

/** An object whose fields are known. Types of one name are the same type. */
export interface ObjectType {
  readonly kind: "object";
  readonly name: string;
  /** Undefined: there is no such field. */
  readonly field: (name: string) => CelField | undefined;
}

/** `max`: how many elements, characters or bytes the schema allows at most, for cost estimates. */
export type CelType =
  | { readonly kind: ScalarKind; readonly max?: number }
  | { readonly kind: "string" | "bytes"; readonly max?: number }
  /** `any`: its name in messages, and nothing can be iterated that is. */
  | { readonly kind: "dyn"; readonly max?: number; readonly any?: true }
  | { readonly kind: "error" }
  | ListType
  | MapType
  | ObjectType
  | { readonly kind: "opaque"; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "type"; readonly of: CelType | undefined };

export interface ListType {
  readonly kind: "list";
  readonly elem: CelType;
  readonly max?: number;
  /** x-kubernetes-list-type: sets and maps compare and add without order. */
  readonly listType?: "set" | "map";
  readonly mapKeys?: readonly string[];
}

export interface MapType {
  readonly kind: "map";
  readonly key: CelType;
  readonly value: CelType;
  readonly max?: number;
}

export const BOOL: CelType = { kind: "bool" };
export const INT: CelType = { kind: "int" };
export const UINT: CelType = { kind: "uint" };
export const DOUBLE: CelType = { kind: "double" };
export const STRING: CelType = { kind: "string" };
export const BYTES: CelType = { kind: "bytes" };
export const NULL: CelType = { kind: "null" };
export const DYN: CelType = { kind: "dyn" };
export const ERROR: CelType = { kind: "error" };
export const DURATION: CelType = { kind: "duration" };
export const TIMESTAMP: CelType = { kind: "timestamp" };

const noField = () => undefined;

/** An object type without fields: its values are used through functions only. */
export function receiverType(name: string): ObjectType {
  return { kind: "object", name, field: noField };
}

/** An object type; `fields` are by the name expressions use, which is the property's name too. */
export function objectType(name: string, fields: Readonly<Record<string, CelType>>): ObjectType {
  const known = new Map(
    Object.entries(fields).map(([property, type]) => [property, { type, property }]),
  );
  return { kind: "object", name, field: (field) => known.get(field) };
}

export function listOf(elem: CelType): ListType {
  return { kind: "list", elem };
}

export function mapOf(key: CelType, value: CelType): MapType {
  return { kind: "map", key, value };
}

export function param(name: string): CelType {
  return { kind: "param", name };
}

export function optionalOf(type: CelType): CelType {
  return { kind: "opaque", name: "optional_type", params: [type] };
}

/** The type inside an optional, or undefined when `type` is none. */
export function insideOptional(type: CelType): CelType | undefined {
  return type.kind === "opaque" && type.name === "optional_type" ? type.params[0] : undefined;
}

export function typeOf(of: CelType | undefined): CelType {
  return { kind: "type", of };
}

/** As cel-go prints a type in messages: `list(string)`, `map(string, dyn)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${typeText(type.elem)})`;
    case "map":
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case "object":
    case "param":
      return type.name;
    case "opaque":
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(typeText).join(", ")})`;
    case "type":
      return type.of === undefined ? "type" : `type(${typeText(type.of)})`;
    case "error":
      return "!error!";
    case "dyn":
      return type.any ? "any" : "dyn";
    default:
      return type.kind;
  }
}

/** As cel-go prints the type of a whole expression. */
export function outputText(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${outputText(type.elem)})`;
    case "map":
      return `map(${outputText(type.key)}, ${outputText(type.value)})`;
    case "opaque":
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(outputText).join(", ")})`;
    case "type":
      return type.of === undefined ? "type" : `type(${outputText(type.of)})`;
    case "dyn":
    case "error":
      return typeText(type);
    default:
      return runtimeName(type);
  }
}

/** The name of a type at run time, as `type(x)` gives it and run-time errors print it. */
export function runtimeName(type: CelType): string {
  switch (type.kind) {
    case "object":
    case "opaque":
    case "param":
      return type.name;
    case "null":
      return "null_type";
    case "duration":
      return "google.protobuf.Duration";
    case "timestamp":
      return "google.protobuf.Timestamp";
    default:
      return type.kind;
  }
}

/** Whether the two are the same type, parameters included. */
export function sameType(left: CelType, right: CelType): boolean {
  if (left === right) return true;
  switch (left.kind) {
    case "list":
      return right.kind === "list" && sameType(left.elem, right.elem);
    case "map":
      return (
        right.kind === "map" && sameType(left.key, right.key) && sameType(left.value, right.value)
      );
    case "object":
      return right.kind === "object" && left.name === right.name;
    case "param":
      return right.kind === "param" && left.name === right.name;
    case "opaque":
      return (
        right.kind === "opaque" &&
        left.name === right.name &&
        left.params.length === right.params.length &&
        left.params.every((one, index) => sameType(one, right.params[index] ?? ERROR))
      );
    case "type":
      return right.kind === "type" && sameType(left.of ?? DYN, right.of ?? DYN);
    default:
      return left.kind === right.kind;
  }
}
