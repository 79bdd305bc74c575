import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/promise.ts";
import { bytes, type Size } from "../../base/size.ts";

/** Refuses a web request's body while it is read, whatever its Content-Length says. */
export interface BodyLimit {
  /** The request with a body that fails once it is too long. */
  readonly bound: (request: Request) => Request;
  /** `read`, but of a body that was too long it gives REPRISE_BODY_TOO_LARGE. */
  readonly guard: <Q, T>(
    read: (given: Q) => MaybePromise<T>,
    requestOf?: (given: Q) => Request,
  ) => (given: Q) => Promise<T>;
}

/** @throws REPRISE_BAD_SIZE */
export function createBodyLimit(operation: string, limit: Size | undefined): BodyLimit {
  const atMost =
    limit === undefined
      ? defaults.http.bodyLimitBytes
      : bytes(limit, `bodyLimit of the HTTP carrier of '${operation}'`);
  const tooLarge = new WeakSet<Request>();

  const bound = (request: Request): Request => {
    if (request.body === null) return request;
    let read = 0;
    const body = request.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          read += chunk.byteLength;
          if (read <= atMost) return controller.enqueue(chunk);
          tooLarge.add(bounded);
          controller.error(new Error("the body is too large"));
        },
      }),
    );
    const init: RequestInit & { readonly duplex: "half" } = { body, duplex: "half" };
    const bounded = new Request(request, init);
    return bounded;
  };

  return {
    bound,
    guard: (read, requestOf = (given) => given as Request) => {
      const readInput = async (given: Parameters<typeof read>[0]) => read(given);
      return async (given) => {
        // judged by what was read, not by the error: a runtime tells its own of a failed body, and `input` may swallow it
        const [done] = await Promise.allSettled([readInput(given)]);
        if (tooLarge.has(requestOf(given))) throw new RepriseError("REPRISE_BODY_TOO_LARGE", { operation, atMost });
        if (done.status === "rejected") throw done.reason;
        return done.value;
      };
    },
  };
}
