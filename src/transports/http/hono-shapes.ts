/** What is used of Hono, so that nothing of it is loaded and no version of its types is needed. */
export interface HonoContext {
  readonly req: {
    /** Replaced by one whose body is bounded. */
    raw: Request;
    json(): Promise<unknown>;
    arrayBuffer(): Promise<ArrayBuffer>;
    header(name: string): string | undefined;
  };
}
