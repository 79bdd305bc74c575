import type { MaybePromise } from "./promise.ts";

/** Standard Schema (standardschema.dev, version 1), the part that is used: zod, valibot and arktype are assignable. */
export interface Schema<out Input = unknown, out Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => MaybePromise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The vendor that marks a type without a check. */
const uncheckedVendor = "reprise-unchecked";

/**
 * A type without a check: whatever comes is taken for a `T`. `decisions()` lists it.
 *
 * @example
 * reprise.operation({ input: unchecked<BookSeat>(), … })
 */
export function unchecked<T>(): Schema<T, T> {
  return { "~standard": { version: 1, vendor: uncheckedVendor, validate: (value) => ({ value: value as T }) } };
}

export function isUnchecked(schema: Schema): boolean {
  return schema["~standard"].vendor === uncheckedVendor;
}

/** Where an issue lies and what it is: `user.name: too short`. Schema libraries write no values into messages by default. */
export function describeIssue(issue: SchemaIssue): string {
  const path = pathOf(issue);
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** Where an issue lies: `user.name`; `""`: in the whole. */
export function pathOf({ path = [] }: SchemaIssue): string {
  return path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}
