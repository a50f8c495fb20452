/**
 * OpenAPI documents in gnostic's protobuf form, which client-go asks for. Upstream: the messages of
 * google/gnostic-models, openapiv2/OpenAPIv2.proto and openapiv3/OpenAPIv3.proto.
 */
import protobuf from "protobufjs/minimal.js";
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import { encodeYaml } from "../../apimachinery/runtime/yaml.ts";

type Writer = protobuf.Writer;
/** Writes a field with its tag. */
type Shape = (writer: Writer, number: number, value: JsonValue) => void;

const BYTES = 2;

function delimited(writer: Writer, number: number, content: (inner: Writer) => void): void {
  const inner = writer.uint32(number * 8 + BYTES).fork();
  content(inner);
  inner.ldelim();
}

const text: Shape = (writer, number, value) => {
  writer.uint32(number * 8 + BYTES).string(String(value));
};
const flag: Shape = (writer, number, value) => {
  if (value === true) writer.uint32(number * 8).bool(true);
};
/** `Any { yaml = 2 }`: gnostic carries what it has no message for as YAML. */
const any: Shape = (writer, number, value) =>
  delimited(writer, number, (inner) => text(inner, 2, encodeYaml(value)));

const list =
  (shape: Shape): Shape =>
  (writer, number, value) => {
    for (const item of Array.isArray(value) ? value : [value]) shape(writer, number, item);
  };

/** A JSON map as a list of `{ name = 1, value = 2 }`, sorted as in upstream's bytes. */
const named =
  (shape: Shape): Shape =>
  (writer, number, value) => {
    const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, item] of entries) {
      if (item === undefined) continue;
      delimited(writer, number, (inner) => {
        text(inner, 1, name);
        shape(inner, 2, item);
      });
    }
  };

/** A message with one field. */
const wrap =
  (inner: number, shape: Shape): Shape =>
  (writer, number, value) =>
    delimited(writer, number, (content) => shape(content, inner, value));

type Fields = Readonly<Record<string, readonly [number: number, shape: Shape]>>;

/** A message by JSON name; `x-` members go to the extensions, anything else is left out. */
function message(fields: () => Fields, extension: number): Shape {
  let known: Fields | undefined;
  return (writer, number, value) => {
    known ??= fields();
    const table = known;
    delimited(writer, number, (inner) =>
      writeMembers(inner, value as JsonObject, table, extension),
    );
  };
}

/** In the order of field numbers, extensions last and by name. */
function writeMembers(writer: Writer, object: JsonObject, fields: Fields, extension: number): void {
  const known: [JsonValue, ...Fields[string]][] = [];
  const extensions: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const field = fields[key];
    if (field !== undefined) known.push([value, ...field]);
    else if (key.startsWith("x-")) extensions[key] = value;
  }
  for (const [value, number, shape] of known.sort(([, a], [, b]) => a - b)) {
    shape(writer, number, value);
  }
  named(any)(writer, extension, extensions);
}

const strings = list(text);
const security = list((writer, number, value) =>
  delimited(writer, number, (inner) => named(wrap(1, strings))(inner, 1, value)),
);

const schemaV2: Shape = message(
  () => ({
    $ref: [1, text],
    format: [2, text],
    description: [4, text],
    default: [5, any],
    required: [19, strings],
    enum: [20, list(any)],
    additionalProperties: [21, wrap(1, schemaV2)],
    type: [22, wrap(1, strings)],
    items: [23, wrap(1, list(schemaV2))],
    allOf: [24, list(schemaV2)],
    properties: [25, wrap(1, named(schemaV2))],
  }),
  31,
);

const bodyParameter = message(
  () => ({
    description: [1, text],
    name: [2, text],
    in: [3, text],
    required: [4, flag],
    schema: [5, schemaV2],
  }),
  6,
);
const queryParameter = message(
  () => ({
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [6, text],
    uniqueItems: [20, flag],
  }),
  23,
);
const pathParameter = message(
  () => ({
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [5, text],
    uniqueItems: [19, flag],
  }),
  22,
);

/** Parameter { body = 1 | non-body = 2 { query = 3 | path = 4 } } */
const ownParameterV2: Shape = (writer, number, value) => {
  const place = (value as JsonObject)["in"];
  const content =
    place === "body"
      ? wrap(1, bodyParameter)
      : wrap(2, place === "path" ? wrap(4, pathParameter) : wrap(3, queryParameter));
  content(writer, number, value);
};
const jsonReference = message(() => ({ $ref: [1, text], description: [2, text] }), 0);
/** ParametersItem { Parameter = 1 | JsonReference = 2 } */
const parameterV2: Shape = (writer, number, value) =>
  "$ref" in (value as JsonObject)
    ? wrap(2, jsonReference)(writer, number, value)
    : wrap(1, ownParameterV2)(writer, number, value);

const responseV2 = message(() => ({ description: [1, text], schema: [2, wrap(1, schemaV2)] }), 5);

const operationV2 = message(
  () => ({
    tags: [1, strings],
    description: [3, text],
    operationId: [5, text],
    produces: [6, strings],
    consumes: [7, strings],
    parameters: [8, list(parameterV2)],
    responses: [9, wrap(1, named(wrap(1, responseV2)))],
    schemes: [10, strings],
  }),
  13,
);

const pathV2 = message(
  () => ({
    get: [2, operationV2],
    put: [3, operationV2],
    post: [4, operationV2],
    delete: [5, operationV2],
    options: [6, operationV2],
    head: [7, operationV2],
    patch: [8, operationV2],
    parameters: [9, list(parameterV2)],
  }),
  10,
);

const infoV2 = message(() => ({ title: [1, text], version: [2, text] }), 7);
const apiKey = message(
  () => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }),
  5,
);

const documentV2: Fields = {
  swagger: [1, text],
  info: [2, infoV2],
  paths: [8, wrap(2, named(pathV2))],
  definitions: [9, wrap(1, named(schemaV2))],
  parameters: [10, wrap(1, named(ownParameterV2))],
  security: [12, security],
  securityDefinitions: [13, wrap(1, named(wrap(2, apiKey)))],
};

const reference = message(() => ({ $ref: [1, text] }), 4);
/** `{ schema = 1 | reference = 2 }` */
const schemaOrReference: Shape = (writer, number, value) =>
  "$ref" in (value as JsonObject)
    ? wrap(2, reference)(writer, number, value)
    : wrap(1, schemaV3)(writer, number, value);

/** DefaultType holds scalars only: gnostic leaves it empty for other defaults. */
const defaultV3: Shape = (writer, number, value) => {
  delimited(writer, number, (inner) => {
    if (typeof value === "object") return;
    if (typeof value === "string") inner.uint32(3 * 8 + BYTES).string(value);
    else if (typeof value === "boolean") inner.uint32(2 * 8).bool(value);
    else inner.uint32(8 + 1).double(Number(value));
  });
};

const schemaV3: Shape = message(
  () => ({
    uniqueItems: [20, flag],
    required: [23, strings],
    enum: [24, list(any)],
    type: [25, text],
    allOf: [26, list(schemaOrReference)],
    oneOf: [27, list(schemaOrReference)],
    anyOf: [28, list(schemaOrReference)],
    items: [30, wrap(1, list(schemaOrReference))],
    properties: [31, wrap(1, named(schemaOrReference))],
    additionalProperties: [32, wrap(1, schemaOrReference)],
    default: [33, defaultV3],
    description: [34, text],
    format: [35, text],
    nullable: [1, flag],
  }),
  36,
);

const mediaTypes = wrap(1, named(message(() => ({ schema: [1, schemaOrReference] }), 5)));
const parameterV3 = wrap(
  1,
  message(
    () => ({
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      schema: [10, schemaOrReference],
    }),
    14,
  ),
);
const responseV3 = wrap(
  1,
  message(() => ({ description: [1, text], content: [3, mediaTypes] }), 5),
);
const requestBody = wrap(
  1,
  message(() => ({ description: [1, text], content: [2, mediaTypes], required: [3, flag] }), 4),
);
const operationV3 = message(
  () => ({
    tags: [1, strings],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, list(parameterV3)],
    requestBody: [7, requestBody],
    responses: [8, wrap(2, named(responseV3))],
  }),
  13,
);
const pathV3 = message(
  () => ({
    get: [4, operationV3],
    put: [5, operationV3],
    post: [6, operationV3],
    delete: [7, operationV3],
    options: [8, operationV3],
    head: [9, operationV3],
    patch: [10, operationV3],
    parameters: [13, list(parameterV3)],
  }),
  14,
);
const infoV3 = message(() => ({ title: [1, text], version: [6, text] }), 7);
const scheme = wrap(
  1,
  message(() => ({ type: [1, text], description: [2, text], name: [3, text], in: [4, text] }), 9),
);
const components = message(
  () => ({
    schemas: [1, wrap(1, named(schemaOrReference))],
    securitySchemes: [7, wrap(1, named(scheme))],
  }),
  10,
);
const documentV3: Fields = {
  openapi: [1, text],
  info: [2, infoV3],
  paths: [4, wrap(1, named(pathV3))],
  components: [5, components],
  security: [6, security],
};

function encode(document: JsonObject, fields: Fields, extension: number): Buffer {
  const writer = protobuf.Writer.create();
  writeMembers(writer, document, fields, extension);
  return Buffer.from(writer.finish());
}

/** An OpenAPI v2 document as gnostic's openapi.v2.Document. */
export function encodeGnosticV2(document: JsonObject): Buffer {
  return encode(document, documentV2, 16);
}

/** An OpenAPI v3 document as gnostic's openapi.v3.Document. */
export function encodeGnosticV3(document: JsonObject): Buffer {
  return encode(document, documentV3, 9);
}
