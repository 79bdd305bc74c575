/** What an instance knows at compile time: unions, resolved once by `createReprise`, so that messages stay short. */
export interface Config {
  readonly dimension: string;
  readonly personal: string;
  readonly owner: string | undefined;
  readonly undecided: "refused" | "listed";
  readonly ledger: boolean;
  readonly tx: unknown;
}

/** What can make two responses differ. `personal`: two people never share a value of it. */
export type Dimensions = { readonly [name: string]: "personal" | "shared" };

/** A call that is refused: the compiler prints the sentence as the parameter's type. */
export type RefusedCall<Sentence extends string> = (refused: Sentence) => never;

/** A decision that only informs: mandatory, unless the instance lists what is undecided. */
export type Decision<C extends Config, T> = C["undecided"] extends "listed"
  ? { readonly [K in keyof T]?: T[K] | undefined }
  : T;

/** Who answers for a declaration: named here, or by the instance for all. */
export type Owned<C extends Config> = [C["owner"]] extends [undefined]
  ? // First, because without `strict` undefined is a string too, and nobody would be asked.
    Decision<C, { readonly owner: string }>
  : C["owner"] extends string
    ? { readonly owner?: string | undefined }
    : Decision<C, { readonly owner: string }>;

/** What is stored and compared as it is. */
export type Atom = string | number | bigint | boolean | null | undefined | Date | Uint8Array;
export type Callable = (...args: never[]) => unknown;
