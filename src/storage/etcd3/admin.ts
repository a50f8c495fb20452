/**
 * What an operator asks of the cluster: members, status, alarms, defragmentation. Rare and slow
 * calls, through the etcd3 package; the hot path has its own client.
 */
import { readFileSync } from "node:fs";
import { Etcd3, type IOptions } from "etcd3";
import { StorageError } from "../errors.ts";
import type { EtcdClientOptions } from "./client.ts";

export interface EtcdMember {
  readonly id: string;
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
}
export interface EtcdStatus {
  readonly version: string;
  readonly sizeBytes: number;
  readonly leader: string;
  readonly raftTerm: string;
}

/** Every method rejects with StorageError Unreachable. Close it after use. */
export class EtcdAdmin {
  readonly #client: Etcd3;

  constructor(options: EtcdClientOptions) {
    this.#client = new Etcd3(clientOptions(options));
  }

  async members(): Promise<readonly EtcdMember[]> {
    const { members } = await this.#ask(this.#client.cluster.memberList({}));
    return members.map((member) => ({
      id: BigInt(member.ID).toString(16),
      name: member.name,
      clientUrls: member.clientURLs,
      learner: "isLearner" in member && member.isLearner === true,
    }));
  }

  /** Of the endpoint that answers. */
  async status(): Promise<EtcdStatus> {
    const { version, dbSize, leader, raftTerm } = await this.#ask(
      this.#client.maintenance.status(),
    );
    return {
      version,
      sizeBytes: Number(dbSize),
      leader: BigInt(leader).toString(16),
      raftTerm: String(raftTerm),
    };
  }

  /** Gives free space back to the file system; the member answers nothing else meanwhile. */
  async defragment(): Promise<void> {
    await this.#ask(this.#client.maintenance.defragment());
  }

  close(): void {
    this.#client.close();
  }

  async #ask<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError({ code: "Unreachable", message }, { cause });
    }
  }
}

function clientOptions(options: EtcdClientOptions): IOptions {
  const { endpoints, caFile, certFile, keyFile, user } = options;
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  const rootCertificate = read(caFile);
  const privateKey = read(keyFile);
  const certChain = read(certFile);
  const client = privateKey && certChain ? { privateKey, certChain } : {};
  return {
    hosts: [...endpoints],
    defaultCallOptions: () => ({ deadline: Date.now() + 10_000 }),
    ...(rootCertificate === undefined ? {} : { credentials: { rootCertificate, ...client } }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
  };
}
