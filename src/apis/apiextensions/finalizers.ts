/** Keeps a definition until its objects are gone. Upstream: apis/apiextensions/v1/types.go. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";
