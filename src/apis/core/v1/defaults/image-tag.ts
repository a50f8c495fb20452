/**
 * The tag of an image reference, as far as the default pull policy cares.
 * Upstream: pkg/util/parsers, github.com/distribution/reference.
 */
const PATH_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const REFERENCE = new RegExp(
  `^((?:${DOMAIN}/)?${PATH_COMPONENT}(?:/${PATH_COMPONENT})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
const NAME_MAX = 255;
/** Longer texts are no references; it also bounds what the expression is run on. */
const TEXT_MAX = 4096;

/** "latest" when neither tag nor digest is given; "" when the text is no image reference. */
export function imageTag(image: string): string {
  if (image.length > TEXT_MAX || /^[a-f0-9]{64}$/.test(image)) return "";
  const match = REFERENCE.exec(normalized(image));
  if (match === null) return "";
  const [, name = "", tag, digest] = match;
  if (name.slice(name.indexOf("/") + 1).length > NAME_MAX) return "";
  if (tag !== undefined) return tag;
  return digest === undefined ? "latest" : "";
}

/** A first part that is no host name belongs to the path; the domain is Docker's. */
function normalized(image: string): string {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
  return slash !== -1 && isHost ? image : `docker.io/${image}`;
}

/** The pull policy a container gets when it names none. */
export function defaultPullPolicy(image: string | undefined): string {
  return imageTag(image ?? "") === "latest" ? "Always" : "IfNotPresent";
}
