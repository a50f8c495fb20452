/** The annotation that ranks pods for deletion. Upstream: helper.GetDeletionCostFromPodAnnotations. */
export const POD_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/** The cost, 0 when not given; undefined when the text is no 32-bit integer. */
export function parsedDeletionCost(
  annotations: Readonly<Record<string, string>> | undefined,
): number | undefined {
  const text = annotations?.[POD_DELETION_COST];
  if (text === undefined) return 0;
  // A plus sign or leading zeros are refused: one number has one spelling.
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = Number(text);
  return value > 2147483647 || value < -2147483648 ? undefined : value;
}
