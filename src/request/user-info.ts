/** Who asks. Upstream: apiserver/pkg/authentication/user. */
export interface UserInfo {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS = "system:anonymous";
export const GROUP_AUTHENTICATED = "system:authenticated";
export const GROUP_UNAUTHENTICATED = "system:unauthenticated";
/** Members may do anything: checked before every other authorizer. */
export const GROUP_PRIVILEGED = "system:masters";

export const anonymousUser: UserInfo = {
  name: ANONYMOUS,
  uid: "",
  groups: [GROUP_UNAUTHENTICATED],
  extra: {},
};
