/** A part of a source and of the table that it fills. Bounds are text as the dialect writes values, and casts them back. */
export type LoadWindow =
  /** Everything. */
  | { readonly is: "whole" }
  /** From `from` on, before `to`, of the column that windows are cut by; `null`: open. */
  | { readonly is: "range"; readonly from: string | null; readonly to: string | null }
  /** Behind `after`, up to `upTo` and that too, in the order of the identity; `null`: open. */
  | { readonly is: "keys"; readonly after: readonly string[] | null; readonly upTo: readonly string[] | null }
  /** The rows that no range holds, because a part of what windows are cut by is null. */
  | { readonly is: "keyless" };

/** What a run was asked for; `null`: no bound on that side. */
export interface LoadRange {
  readonly from: string | null;
  readonly to: string | null;
}
