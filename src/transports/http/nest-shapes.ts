/** What is used of NestJS, so that nothing of it is loaded and no version of its types is needed. */
import type { ExpressRequest, ExpressResponse } from "./express-shapes.ts";
import type { FastifyReply, FastifyRequest } from "./fastify-shapes.ts";

/** What `@Req()` and `@Res()` give, by the platform that the application runs on. */
export type NestRequest = ExpressRequest | FastifyRequest;
export type NestResponse = ExpressResponse | FastifyReply;

/** Of an `ExecutionContext`. */
export interface NestContext {
  switchToHttp(): { getRequest(): unknown; getResponse(): unknown };
}
/** Of a `CallHandler`, and of what it gives. */
export interface NestCall {
  handle(): { subscribe(observer: Observer): unknown };
}
interface Observer {
  readonly next: (value: unknown) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
}

/** As `@UseInterceptors` takes it. */
export interface NestInterceptor {
  /** What it resolves to is for Nest alone, which reads it as it reads an Observable. */
  intercept(context: NestContext, next: NestCall): Promise<never>;
}

export function isExpress(response: unknown): response is ExpressResponse {
  return typeof response === "object" && response !== null && "setHeader" in response;
}

/** What a method's Observable emits last, as Nest takes it. */
export function lastOf(call: NestCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let last: unknown;
    call.handle().subscribe({
      next: (value) => {
        last = value;
      },
      error: reject,
      complete: () => resolve(last),
    });
  });
}

/** What an interceptor gives Nest for a method's value: an iterable is as good as an Observable, and needs no rxjs. */
export function valueFor(value: unknown): never {
  return [value] as never;
}
