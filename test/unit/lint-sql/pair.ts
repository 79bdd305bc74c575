/** A snippet that is not safe to run twice, and its twin that is. */
export interface Pair {
  readonly name: string;
  readonly rule: string;
  readonly unsound: string;
  readonly sound: string;
}
