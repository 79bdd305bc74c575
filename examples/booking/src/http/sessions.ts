import type { FastifyReply, FastifyRequest } from "fastify";

/** Who a request's bearer token says it is. */
export interface Sessions {
  /** `undefined`: nobody. */
  readonly find: (request: { readonly headers: FastifyRequest["headers"] }) => string | undefined;
  /** @throws when the token names nobody: routes that ask for it run behind `required` */
  readonly userOf: (request: { readonly headers: FastifyRequest["headers"] }) => string;
  /** Answers 401 in the place of a route that needs a user. */
  readonly required: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export function createSessions(users: ReadonlyMap<string, string>): Sessions {
  const find: Sessions["find"] = ({ headers }) =>
    users.get(/^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "");
  return {
    find,
    userOf: (request) => {
      const user = find(request);
      if (user === undefined) throw new Error("a route asked for a user and was not behind a session");
      return user;
    },
    required: async (request, reply) => {
      if (find(request) !== undefined) return undefined;
      return reply
        .code(401)
        .type("application/problem+json")
        .send({ type: "about:blank", title: "Unauthorized", status: 401, detail: "Send a bearer token." });
    },
  };
}
