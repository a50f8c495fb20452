/**
 * The PKI a server without given certificates makes for itself, once, under --data-dir/pki, under
 * kubeadm's file names. Written to a folder beside and renamed: it is there whole or not at all.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type IssuedCertificate, issue } from "./certificate.ts";

const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;
const RENEW_MS = 30 * 86_400_000;

/** Paths of what was made; those the flags do not name are used instead. */
export interface PkiFiles {
  readonly caCert: string;
  readonly caKey: string;
  readonly servingCert: string;
  readonly servingKey: string;
  readonly adminCert: string;
  readonly adminKey: string;
  /** Service account tokens. */
  readonly signingKey: string;
  readonly signingPublicKey: string;
}

export function pkiFiles(dataDir: string): PkiFiles {
  const file = (name: string) => join(dataDir, "pki", name);
  return {
    caCert: file("ca.crt"),
    caKey: file("ca.key"),
    servingCert: file("apiserver.crt"),
    servingKey: file("apiserver.key"),
    adminCert: file("admin.crt"),
    adminKey: file("admin.key"),
    signingKey: file("sa.key"),
    signingPublicKey: file("sa.pub"),
  };
}

/**
 * Makes what is missing under `dataDir`, and re-issues the leaf certificates when they run out soon
 * or the serving certificate lacks one of `names`. Throws when a file can not be written.
 */
export function ensurePki(dataDir: string, names: readonly string[]): PkiFiles {
  const files = pkiFiles(dataDir);
  if (!existsSync(files.caCert)) create(dataDir, names);
  else renewLeaves(files, names);
  return files;
}

function create(dataDir: string, names: readonly string[]): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const partial = join(dataDir, `.pki-${randomBytes(6).toString("hex")}`);
  mkdirSync(join(partial, "pki"), { recursive: true, mode: 0o700 });
  try {
    const files = pkiFiles(partial);
    const subject = { commonName: "klystron-ca" };
    const authority = issue({ subject, usage: "authority", days: AUTHORITY_DAYS });
    write(files.caCert, files.caKey, authority);
    writeLeaves(files, authority, names);
    writeSigningKey(files);
    renameSync(join(partial, "pki"), join(dataDir, "pki"));
  } catch (error) {
    // Another process was faster: its PKI is as good.
    if (!existsSync(pkiFiles(dataDir).caCert)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function renewLeaves(files: PkiFiles, names: readonly string[]): void {
  const serving = new X509Certificate(readFileSync(files.servingCert));
  const admin = new X509Certificate(readFileSync(files.adminCert));
  const soon = Date.now() + RENEW_MS;
  const lasts = [serving, admin].every((one) => new Date(one.validTo).getTime() > soon);
  const covers = names.every(
    (name) => (isIP(name) === 0 ? serving.checkHost(name) : serving.checkIP(name)) !== undefined,
  );
  if (lasts && covers) return;
  const authority = {
    certificate: readFileSync(files.caCert, "utf8"),
    key: readFileSync(files.caKey, "utf8"),
  };
  writeLeaves(files, authority, names);
}

function writeLeaves(
  files: PkiFiles,
  authority: IssuedCertificate,
  names: readonly string[],
): void {
  const serving = { subject: { commonName: "kube-apiserver" }, usage: "server" as const, names };
  write(files.servingCert, files.servingKey, issue({ ...serving, days: LEAF_DAYS }, authority));
  const subject = { commonName: "kubernetes-admin", organizations: ["system:masters"] };
  const admin = { subject, usage: "client" as const, days: LEAF_DAYS };
  write(files.adminCert, files.adminKey, issue(admin, authority));
}

function writeSigningKey(files: PkiFiles): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeFileSync(files.signingKey, pem, { mode: 0o600 });
  const publicPem = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  writeFileSync(files.signingPublicKey, publicPem, { mode: 0o644 });
}

/** The key first: a certificate without its key would look complete. */
function write(certFile: string, keyFile: string, pair: IssuedCertificate): void {
  replace(keyFile, pair.key, 0o600);
  replace(certFile, pair.certificate, 0o644);
}
function replace(file: string, content: string, mode: number): void {
  const partial = `${file}.${randomBytes(4).toString("hex")}`;
  writeFileSync(partial, content, { mode });
  renameSync(partial, file);
}

/** An administrator's kubeconfig with everything embedded. */
export function kubeconfig(server: string, authority: string, admin: IssuedCertificate): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return `apiVersion: v1
kind: Config
clusters:
- name: klystron
  cluster:
    certificate-authority-data: ${base64(authority)}
    server: ${server}
contexts:
- name: klystron
  context:
    cluster: klystron
    user: kubernetes-admin
current-context: klystron
users:
- name: kubernetes-admin
  user:
    client-certificate-data: ${base64(admin.certificate)}
    client-key-data: ${base64(admin.key)}
`;
}

/** Writes `kubeconfig` readable by its owner only, whole or not at all. */
export function writeKubeconfig(file: string, content: string): void {
  replace(file, content, 0o600);
}
