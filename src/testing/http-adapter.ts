import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import type { HttpCarrier } from "../transports/http/carrier.ts";

/** What an HTTP adapter gives its suite. */
export interface HttpAdapter {
  /** For the names of the cases. */
  readonly name: string;
  /** Who answers for a body that cannot be read: the adapter, with a problem document, or the framework, its own way. */
  readonly bodyErrors: "problem" | "framework";
  /**
   * Starts a listening server of one operation at `POST /`. Before it stands a guard as the framework has them (a
   * middleware, a hook): a request whose header `x-guard` names a status is answered with that.
   */
  readonly serve: (served: ServedOperation) => Promise<HttpServer>;
}

export interface ServedOperation {
  readonly operation: Carried<unknown, unknown, AnyRefused>;
  /** The rest of the carrier: its `input` is the JSON body. */
  readonly carrier: Omit<HttpCarrier<never, unknown, unknown, AnyRefused>, "input" | "principal">;
  /** `session`: the principal is what the header `x-session` says, empty without one. */
  readonly principal: "everyone" | "session";
  /** The body's bound, by whoever reads it. */
  readonly bodyLimitBytes: number;
}

export interface HttpServer {
  /**
   * Sends a POST, each header as a line of its own. When `signal` aborts, the client hangs up, and this rejects once the
   * server has noticed.
   */
  readonly send: (request: SuiteRequest) => Promise<SuiteAnswer>;
  readonly close: () => Promise<void>;
}

export interface SuiteRequest {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly signal?: AbortSignal | undefined;
}

export interface SuiteAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}
