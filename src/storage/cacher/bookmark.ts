/** The JSON of bookmark objects: an empty object of the kind with nothing but a revision. */
import { jsonCodec, type StoredCodec, setResourceVersion } from "../codec.ts";
import { asRevision, type Revision, type StorageConfig } from "../interfaces.ts";

interface Templates {
  readonly plain: Uint8Array;
  readonly end: Uint8Array;
}
const codecs = new WeakMap<StorageConfig, StoredCodec>();
const templates = new WeakMap<StorageConfig, Templates>();

/**
 * What an empty object of the kind shows because upstream's internal type holds a plain number where
 * the served one has a pointer. As EmptyExtras in native/core/frame.cc.
 */
function emptyExtras({ kind, apiVersion }: StorageConfig): string {
  const scales = ["Deployment", "ReplicaSet", "StatefulSet"].includes(kind);
  return scales && apiVersion === "apps/v1" ? ',"spec":{"replicas":0}' : "";
}

/**
 * Has bookmarks of `config` pass through `codec` once, so that they show what Go shows of an empty
 * object of the type (`"spec":{"containers":null}` of a Pod).
 */
export function registerBookmarks(config: StorageConfig, codec: StoredCodec): void {
  codecs.set(config, codec);
  templates.delete(config);
}

/** Made when first needed: most resources are never watched with bookmarks from here. */
function templatesOf(config: StorageConfig, codec: StoredCodec): Templates {
  const { kind, apiVersion } = config;
  const made = (annotations: string): Uint8Array => {
    const text = `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":{${annotations}}${emptyExtras(config)}}`;
    const sorted = `{"apiVersion":"${apiVersion}","kind":"${kind}","metadata":{${annotations}}}`;
    const bytes = Buffer.from(config.goName === "" ? sorted : text);
    if (config.custom !== undefined) return bytes;
    try {
      return codec.toServed(codec.toStored(bytes, config), asRevision(0), config);
    } catch {
      return bytes; // a codec that wants a whole object: the bare one does
    }
  };
  const end = made('"annotations":{"k8s.io/initial-events-end":"true"}');
  return { plain: made(""), end };
}

/** The bookmark that ends the initial events of sendInitialEvents=true. */
export function initialEventsEnd(config: StorageConfig, revision: Revision): Uint8Array {
  return setResourceVersion(template(config).end, revision, config);
}

/** A plain bookmark: everything up to `revision` has been sent. */
export function bookmark(config: StorageConfig, revision: Revision): Uint8Array {
  return setResourceVersion(template(config).plain, revision, config);
}

function template(config: StorageConfig): Templates {
  const known = templates.get(config);
  if (known !== undefined) return known;
  const made = templatesOf(config, codecs.get(config) ?? jsonCodec);
  templates.set(config, made);
  return made;
}
