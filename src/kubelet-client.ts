/** How this server reaches kubelets, from flags. */
import type { Flags } from "./options/flags.ts";
import { KubeletClient } from "./request/outgoing/kubelet-client.ts";
import { ConfigError, readConfigFile } from "./settings.ts";

/** Throws ConfigError that names the file. */
export function createKubeletClient(flags: Flags): KubeletClient {
  const pem = (
    flag: "kubelet-certificate-authority" | "kubelet-client-certificate" | "kubelet-client-key",
  ) => readConfigFile(`--${flag}`, flags[flag]) || undefined;
  const certificate = pem("kubelet-client-certificate");
  const key = pem("kubelet-client-key");
  const options = {
    authorities: pem("kubelet-certificate-authority"),
    certificate,
    key,
    defaultPort: flags["kubelet-port"],
    addressTypes: flags["kubelet-preferred-address-types"],
    connectTimeoutMs: flags["kubelet-timeout"],
  };
  try {
    return new KubeletClient(options);
  } catch (error) {
    throw new ConfigError(`--kubelet-client-certificate: ${String(error)}`);
  }
}
