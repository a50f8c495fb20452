/** Keys of UserInfo.extra that this server sets. Upstream: authentication/serviceaccount/util.go. */
export const CREDENTIAL_ID_KEY = "authentication.kubernetes.io/credential-id";
export const POD_NAME_KEY = "authentication.kubernetes.io/pod-name";
export const POD_UID_KEY = "authentication.kubernetes.io/pod-uid";
export const NODE_NAME_KEY = "authentication.kubernetes.io/node-name";
export const NODE_UID_KEY = "authentication.kubernetes.io/node-uid";
