import type { OperationContract, ServiceContract } from "./contract-document.ts";
import type { CallerAnswer, CallerContract } from "./decided.ts";

/**
 * The contract as an OpenAPI 3.1 document of components: an Idempotency-Key parameter, the responses, and the whole method
 * of each operation. Which path an operation has, its routes know: a document with paths refers to these.
 */
export function contractOpenApi(services: readonly ServiceContract[]): OpenApiFragments {
  const components: Record<"pathItems" | "parameters" | "responses", Record<string, unknown>> = {
    pathItems: {},
    parameters: {},
    responses: {},
  };
  const nameComponent = uniqueNames();
  for (const { service, operations } of services) {
    for (const operation of operations) {
      const { contract, name } = operation;
      // operations of several services may have one name
      const component = nameComponent(services.length === 1 ? name : `${service}.${name}`);
      components.parameters[`${component}.key`] = keyParameter(contract);
      const responses: Record<string, unknown> = {};
      for (const [status, answers] of byStatus(contract.answers)) {
        components.responses[`${component}.${status}`] = response(operation, answers);
        responses[status] = { $ref: `#/components/responses/${component}.${status}` };
      }
      components.pathItems[component] = {
        post: {
          operationId: component,
          summary: contract.promise,
          [statementField]: statement(operation),
          parameters: [{ $ref: `#/components/parameters/${component}.key` }],
          responses,
        },
      };
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: `${services.map(({ service }) => service).join(", ")}: what callers are promised`,
      version: "1",
      description:
        "What each operation answers when it is asked again. Refer from a path to one of `pathItems`, or from its method to its parameter and responses.",
    },
    components: { ...components, headers, schemas },
  };
}

/** The field in which a method says what a repetition of it does; `--check` takes it for a promise. */
export const statementField = "x-reprise";

export interface OpenApiFragments {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function statement({ name, owner, contract }: OperationContract) {
  const { promise, identity, principal, retention } = contract;
  return { operation: name, owner, promise, retention, identity, principal };
}

function keyParameter({ key, promise, identity }: CallerContract) {
  const use = "One key for each piece of work, sent with every attempt at it";
  const known =
    identity === "from-input" ? " The input names the work too: a new key for it gets the same answer." : "";
  return {
    name: "Idempotency-Key",
    in: "header",
    required: key.required,
    description:
      identity === null
        ? `Not needed. ${promise}`
        : `${use}; at most ${key.maxLength} characters, as a structured-field string or bare. ${promise}${known}`,
    schema: { type: "string", minLength: 1 },
    examples: { quoted: { value: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' } },
  };
}

/** What is done may come with any status of success that its route chose. */
function byStatus(answers: readonly CallerAnswer[]): ReadonlyMap<string, readonly CallerAnswer[]> {
  const found = new Map<string, CallerAnswer[]>();
  for (const answer of answers) {
    const status = answer.is === "done" ? "2XX" : String(answer.status);
    found.set(status, [...(found.get(status) ?? []), answer]);
  }
  return found;
}

function response({ name, contract }: OperationContract, answers: readonly CallerAnswer[]) {
  const said = answers.map((answer) => `${answer.means} Do: ${answer.do}.`);
  const description = said.length === 1 ? said.join("") : said.map((one) => `- ${one}`).join("\n");
  const kept = contract.retention !== null && answers.some(({ is }) => is === "done" || is === "refused");
  const told = Object.assign(
    {},
    kept ? header("Idempotency-Replayed") : {},
    answers.some(({ is, status }) => is === "problem" && status === 409) ? header("Retry-After") : {},
    answers.some(({ is }) => is === "accepted") ? header("Location") : {},
  );
  const headed = Object.keys(told).length === 0 ? { description } : { description, headers: told };
  const problems = answers.flatMap((answer) =>
    answer.is === "problem" || answer.is === "refused" ? [problemSchema(answer)] : [],
  );
  if (problems.length === 0) return headed;
  const refused = answers.flatMap((answer) => (answer.is === "refused" ? [example(name, answer)] : []));
  return {
    ...headed,
    content: {
      "application/problem+json": {
        schema: problems.length === 1 ? problems[0] : { anyOf: problems },
        ...(refused.length === 0 ? {} : { examples: Object.fromEntries(refused) }),
      },
    },
  };
}

function header(name: keyof typeof headers) {
  return { [name]: { $ref: `#/components/headers/${name}` } };
}

/** Codes of the catalogue are examples, not all there are: one that joins it must not make an answer invalid. */
function problemSchema(answer: CallerAnswer & { readonly is: "problem" | "refused" }) {
  const status = { const: answer.status };
  const told =
    answer.is === "problem"
      ? { status, code: { type: "string", examples: answer.codes } }
      : { status, code: { const: "REPRISE_REFUSED" }, refusal: { const: answer.refusal } };
  const required = answer.is === "problem" ? {} : { required: ["refusal"] };
  return { allOf: [{ $ref: "#/components/schemas/Problem" }, { properties: told, ...required }] };
}

function example(operation: string, { status, because, refusal }: CallerAnswer & { readonly is: "refused" }) {
  const type = `/reprise/decisions.json#${encodeURIComponent(operation)}/${encodeURIComponent(refusal)}`;
  return [refusal, { value: { type, title: because, status, code: "REPRISE_REFUSED", refusal } }] as const;
}

const headers = {
  "Idempotency-Replayed": {
    description: "The answer that was given before: same status, headers and bytes. Absent the first time.",
    schema: { const: "true" },
  },
  "Retry-After": {
    description: "Seconds after which to ask again with the same key. Absent from a refusal: that is the answer.",
    schema: { type: "integer", minimum: 1 },
  },
  Location: {
    description: "Where to ask how the work stands.",
    required: true,
    schema: { type: "string", format: "uri-reference" },
  },
} as const;

const schemas = {
  Problem: {
    description: "RFC 9457. `code` says what it is, `detail` why, and what to do.",
    type: "object",
    required: ["type", "title", "status", "code"],
    properties: {
      type: { type: "string", format: "uri-reference" },
      title: { type: "string" },
      status: { type: "integer" },
      detail: { type: "string" },
      code: { type: "string" },
      refusal: { type: "string", description: "Where `code` is REPRISE_REFUSED: which declared refusal." },
      details: { description: "What the operation told with its refusal." },
    },
  },
};

/** OpenAPI allows letters, digits, `.`, `_` and `-` in the name of a component. */
function componentName(name: string): string {
  return name.replace(/[^a-zA-Z0-9._-]/g, "-");
}

/** Two names that differ in other characters alone must not become one component. */
function uniqueNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const wanted = componentName(name) || "operation";
    let given = wanted;
    for (let at = 2; taken.has(given); at += 1) given = `${wanted}-${at}`;
    taken.add(given);
    return given;
  };
}
