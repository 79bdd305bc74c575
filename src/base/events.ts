/** Tells listeners what happens, by name. */
export interface Events<Told extends Record<string, object>> {
  /**
   * Calls `listener` for every event of this name, in the order of subscription, at once and in the emitter's own turn:
   * a listener does little and awaits nothing. One that throws, or whose promise is rejected, breaks nothing; the process
   * is warned the first time. Returns what ends the subscription.
   */
  readonly on: <N extends keyof Told>(name: N, listener: (event: Told[N]) => void) => () => void;
  /** Makes the event only if somebody listens, once for all listeners. */
  readonly emit: <N extends keyof Told>(name: N, make: () => Told[N]) => void;
  readonly listened: (name: keyof Told) => boolean;
}

/**
 * Events that cost one check where nobody listens. Nothing a listener does reaches the emitter.
 *
 * @example
 * const events = createEvents<{ "seat.sold": { readonly left: number } }>();
 * const stop = events.on("seat.sold", ({ left }) => gauge.set(left));
 * events.emit("seat.sold", () => ({ left: 3 }));
 * stop();
 */
export function createEvents<Told extends Record<string, object>>(): Events<Told> {
  /** Lists are replaced, never changed: listeners may come and go while they are told. */
  const subscriptions = new Map<keyof Told, readonly Subscription[]>();

  return {
    on: (name, listener) => {
      const subscription: Subscription = { tell: listener as Subscription["tell"], ended: false, warned: false };
      subscriptions.set(name, [...(subscriptions.get(name) ?? []), subscription]);
      return () => {
        subscription.ended = true;
        const rest = subscriptions.get(name)?.filter((other) => other !== subscription) ?? [];
        if (rest.length > 0) subscriptions.set(name, rest);
        else subscriptions.delete(name);
      };
    },
    emit: (name, make) => {
      const told = subscriptions.get(name);
      if (told === undefined) return;
      const event = make();
      for (const subscription of told) if (!subscription.ended) tell(String(name), subscription, event);
    },
    listened: (name) => subscriptions.has(name),
  };
}

interface Subscription {
  readonly tell: (event: object) => unknown;
  /** An event under way does not reach who has unsubscribed since it began. */
  ended: boolean;
  warned: boolean;
}

function tell(name: string, subscription: Subscription, event: object): void {
  try {
    const result = subscription.tell(event);
    // an async listener is assignable to one that returns nothing; its rejection must not end the process
    if (result instanceof Promise) result.catch((error: unknown) => warn(name, subscription, error));
  } catch (error) {
    warn(name, subscription, error);
  }
}

function warn(name: string, subscription: Subscription, error: unknown): void {
  if (subscription.warned) return;
  subscription.warned = true;
  const kind = error instanceof Error ? error.name : typeof error;
  process.emitWarning(
    `A listener to '${name}' failed (${kind}). The event went on to the others; this is said once for a listener.`,
    { code: "REPRISE_LISTENER_FAILED" },
  );
}
