/** Where another reader reads what we call clean otherwise, and is wrong, or says less: each with its reason. What is not listed here is a difference. */

export interface Tolerance {
  readonly why: string;
  /** `difference` is "ours | theirs" of the first line that is not the same. */
  matches(difference: string): boolean;
}

export const tolerances: readonly Tolerance[] = [];

export function isTolerated(difference: string, list: readonly Tolerance[] = tolerances): boolean {
  return list.some((tolerance) => tolerance.matches(difference));
}
