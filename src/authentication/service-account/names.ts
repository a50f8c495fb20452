/** Names of service accounts as users. Upstream: authentication/serviceaccount/util.go. */
import { nameIsDNSLabel, nameIsDNSSubdomain } from "../../apimachinery/validation/object-meta.ts";

const PREFIX = "system:serviceaccount:";
export const GROUP_SERVICE_ACCOUNTS = "system:serviceaccounts";

export function serviceAccountUserName(namespace: string, name: string): string {
  return `${PREFIX}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return [GROUP_SERVICE_ACCOUNTS, `${GROUP_SERVICE_ACCOUNTS}:${namespace}`];
}

/** Undefined for any other user. */
export function splitServiceAccountName(
  userName: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace = "", name = "", ...more] = userName.slice(PREFIX.length).split(":");
  if (more.length > 0) return undefined;
  if (nameIsDNSLabel(namespace, false).length > 0) return undefined;
  return nameIsDNSSubdomain(name, false).length > 0 ? undefined : { namespace, name };
}
