import type { OperationContract, ServiceContract } from "./contract-document.ts";
import type { CallerAnswer, CallerContract } from "./decided.ts";

/** The contract as a page for the people who call. */
export function contractMarkdown(services: readonly ServiceContract[]): string {
  return `${services.flatMap(serviceLines).join("\n")}\n`;
}

function serviceLines({ service, operations }: ServiceContract, at: number): readonly string[] {
  const keyed = operations.some(({ contract }) => contract.key.required);
  return [
    ...(at === 0 ? [] : [""]),
    `# ${text(service)}: what callers are promised`,
    "",
    ...(operations.length === 0 ? ["No operation is declared, so nothing is promised.", ""] : []),
    ...(keyed
      ? [
          "Make one `Idempotency-Key` for each piece of work and send it with every attempt at it. An answer with",
          "`Idempotency-Replayed: true` is the one that was given before: same status, headers and bytes. Whatever is not done",
          "is told by a problem document (RFC 9457), whose `code` says what it is.",
          "",
        ]
      : []),
    ...operations.flatMap(operationLines),
  ].slice(0, -1);
}

function operationLines({ name, owner, contract }: OperationContract): readonly string[] {
  return [
    `## ${text(name)}`,
    "",
    `**${contract.promise}**`,
    "",
    ...termsOf(contract).map((term) => `- ${term}`),
    `- Owner: ${owner === null ? "nobody has decided" : text(owner)}.`,
    "",
    ...table(
      ["you get", "it means", "do"],
      contract.answers.map((answer) => [statusOf(answer), cell(answer.means), cell(answer.do)]),
    ),
    "",
  ];
}

function termsOf({ key, identity, principal, retention }: CallerContract): readonly string[] {
  if (retention === null) return ["`Idempotency-Key`: not needed."];
  return [
    `\`Idempotency-Key\`: ${key.required ? "required" : "optional"}, at most ${key.maxLength} characters.`,
    identity === "callers-key"
      ? "A repetition is known by its key: a new key is new work."
      : "A repetition is known by its key, and by its input: a new key for the same work gets the same answer.",
    ...(principal === "from-input" ? ["An outcome is told to nobody but the one it belongs to."] : []),
  ];
}

/** Its columns in line, since it is read as text too. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

function statusOf({ is, status }: CallerAnswer): string {
  return is === "done" ? "2xx" : String(status);
}

/** A name or a sentence of somebody's, on one line. */
function text(value: string): string {
  return value.replace(/\s+/g, " ").replace(/[\\<[\]*_]/g, "\\$&");
}

/** Backticks of our sentences stay; a bar would end the cell. */
function cell(value: string): string {
  return value.replace(/\s+/g, " ").replace(/</g, "&lt;").replace(/\|/g, "\\|");
}
