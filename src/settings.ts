/**
 * Reads the files that flags name, once, and says which file is at fault. The fronts get contents,
 * never paths, so that a rotation reaches all of them at the same time.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Flags } from "./options/flags.ts";
import type { ServerOptions } from "./options/options.ts";
import { serviceRanges } from "./options/validation.ts";
import { loadKubeconfig, type ServerConnection } from "./request/outgoing/kubeconfig.ts";
import { advertiseAddress } from "./server/advertise-address.ts";
import type { TlsMaterial } from "./server/front.ts";
import { ensurePki, type PkiFiles, pkiFiles } from "./server/pki/store.ts";
import { servingNames } from "./server/serving-names.ts";
import { cipherNames } from "./server/tls-names.ts";

/** A file or an address that a flag names can not be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Which files are in force: those of the flags, else those under --data-dir/pki. */
export interface FilePaths {
  readonly servingCert: string;
  readonly servingKey: string;
  readonly clientCa: string;
  readonly requestHeaderCa: string;
  readonly signingKey: string;
  readonly verificationKeys: readonly string[];
  /** Undefined: no PKI of our own, so no kubeconfig either. */
  readonly own: PkiFiles | undefined;
}
export interface LoadedFiles {
  readonly tls: TlsMaterial;
  /** PEM; "" without one. */
  readonly clientCa: string;
  readonly requestHeaderCa: string;
  readonly signingKey: string;
  readonly verificationKeys: readonly string[];
  readonly issuers: readonly string[];
}

const DEFAULT_ISSUER = "https://kubernetes.default.svc";

/** Makes the PKI under --data-dir when a flag leaves something to it. Throws ConfigError. */
export function resolvePaths({ flags, embedded }: ServerOptions): FilePaths {
  const needsServing = flags["tls-cert-file"] === "";
  const needsClientCa = embedded && flags["client-ca-file"] === "";
  const isSignedElsewhere = flags["service-account-signing-endpoint"] !== "";
  const signingFile = flags["service-account-signing-key-file"];
  const needsSigning = embedded && signingFile === "" && !isSignedElsewhere;
  const own = needsServing || needsClientCa || needsSigning ? makePki(flags) : undefined;
  const verification = flags["service-account-key-file"];
  const ownKeys = needsSigning && own !== undefined ? [own.signingPublicKey] : [];
  const served = flags["tls-private-key-file"];
  const isOwn = ownKeys.length > 0 || served === "" || isSignedElsewhere;
  const fallbackKeys = isOwn ? ownKeys : [served];
  return {
    servingCert: needsServing ? (own?.servingCert ?? "") : flags["tls-cert-file"],
    servingKey: needsServing ? (own?.servingKey ?? "") : flags["tls-private-key-file"],
    clientCa: needsClientCa ? (own?.caCert ?? "") : flags["client-ca-file"],
    requestHeaderCa: flags["requestheader-client-ca-file"],
    signingKey: needsSigning ? (own?.signingKey ?? "") : signingFile,
    verificationKeys: verification.length > 0 ? verification : fallbackKeys,
    own: needsClientCa ? own : undefined,
  };
}

function makePki(flags: Flags): PkiFiles {
  const names = servingNames(
    serviceRanges(flags)[0] ?? "10.0.0.0/24",
    flags["bind-address"],
    advertiseAddress(flags["advertise-address"], flags["bind-address"]),
    flags["external-hostname"],
  );
  try {
    return ensurePki(flags["data-dir"], names);
  } catch (error) {
    const where = pkiFiles(flags["data-dir"]).caCert;
    throw new ConfigError(`can not make certificates beside ${where}: ${textOf(error)}`);
  }
}

/** Reads and checks everything. Throws ConfigError that names the file. */
export function loadFiles(options: ServerOptions, paths: FilePaths): LoadedFiles {
  const { flags } = options;
  const clientCa = readAuthorities("--client-ca-file", paths.clientCa);
  const requestHeaderCa = readAuthorities("--requestheader-client-ca-file", paths.requestHeaderCa);
  refuseSharedAuthority(flags, clientCa, requestHeaderCa);
  const pair = readPair("--tls-cert-file", paths.servingCert, paths.servingKey);
  const sni = flags["tls-sni-cert-key"].map(({ certFile, keyFile, names }) => {
    const one = readPair("--tls-sni-cert-key", certFile, keyFile);
    return { ...one, names: names.length > 0 ? names : namesIn(one.certificate) };
  });
  const authorities = clientCa + requestHeaderCa;
  const minVersion = flags["tls-min-version"] === "VersionTLS13" ? "TLSv1.3" : "TLSv1.2";
  const issuers = flags["service-account-issuer"];
  return {
    tls: {
      ...pair,
      sni,
      clientAuthorities: authorities === "" ? undefined : authorities,
      minVersion,
      cipherSuites: cipherNames(flags["tls-cipher-suites"]),
    },
    clientCa,
    requestHeaderCa,
    signingKey: read("--service-account-signing-key-file", paths.signingKey),
    verificationKeys: paths.verificationKeys.map((path) =>
      read("--service-account-key-file", path),
    ),
    issuers: issuers.length > 0 ? issuers : [DEFAULT_ISSUER],
  };
}

/** A file that only one part of the server reads. Throws ConfigError that names it. */
export function readConfigFile(flag: string, path: string): string {
  return read(flag, path);
}

/** The kubeconfig of a webhook. Throws ConfigError that names it. */
export function loadWebhookConfig(flag: string, path: string): ServerConnection {
  try {
    return loadKubeconfig(path);
  } catch (error) {
    throw new ConfigError(`${flag}: ${path}: ${textOf(error)}`);
  }
}

function read(flag: string, path: string): string {
  if (path === "") return "";
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${flag}: ${textOf(error)}`);
  }
}

function readPair(flag: string, certFile: string, keyFile: string) {
  const certificate = read(flag, certFile);
  const key = read(flag, keyFile);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    throw new ConfigError(`${flag}: ${certFile} and ${keyFile} are no pair: ${textOf(error)}`);
  }
  return { certificate, key };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readAuthorities(flag: string, path: string): string {
  const pem = read(flag, path);
  if (path === "") return "";
  const certificates = pem.match(PEM_CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new ConfigError(`${flag}: ${path} holds no certificate`);
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw new ConfigError(`${flag}: ${path} holds a bad certificate: ${textOf(error)}`);
    }
  }
  return `${certificates.join("\n")}\n`;
}

/** A proxy's CA that also issues client certificates would let any client pose as the proxy. */
function refuseSharedAuthority(flags: Flags, clientCa: string, requestHeaderCa: string): void {
  if (flags["requestheader-allowed-names"].length > 0) return;
  const ofProxies = new Set(requestHeaderCa.match(PEM_CERTIFICATE) ?? []);
  const shared = (clientCa.match(PEM_CERTIFICATE) ?? []).some((one) => ofProxies.has(one));
  if (!shared) return;
  throw new ConfigError(
    "--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; --requestheader-allowed-names must be specified to ensure regular client certificates cannot set authenticating proxy headers for arbitrary users",
  );
}

function namesIn(certificate: string): string[] {
  const names = new X509Certificate(certificate).subjectAltName ?? "";
  return [...names.matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1] ?? "");
}
const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
