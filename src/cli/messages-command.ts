import { Command, Option } from "commander";
import { deadLetterReasons } from "../contract/source.ts";
import { addModuleWords } from "./job-words.ts";
import {
  type ActOnMessagesOptions,
  type DiscardOptions,
  type ListMessagesOptions,
  runDiscard,
  runListMessages,
  runRedrive,
} from "./messages.ts";
import { parseCount } from "./options.ts";

/** `reprise messages …`: what consumers have set aside, and what a person does about it. */
export function messagesCommand(exitWith: (code: number) => void): Command {
  const messages = new Command("messages")
    .description(
      "Lists what declared consumers have set aside, what is parked and what waits in outboxes, sends it again and removes it. Nothing is received besides, and no content is printed. Ends with 0 where it is done, with 1 where a message is gone or a broker or the ledger does not answer, with 2 where what was given cannot be used.",
    )
    .exitOverride();
  const verb = (name: string, description: string): Command =>
    addModuleWords(messages.command(name).description(description))
      .option("--consumer <name>", "the name of its source; needed where the module declares several")
      .addOption(new Option("--reason <reason>", "only what was set aside for it").choices([...deadLetterReasons]));
  const acting = (name: string, description: string): Command =>
    verb(name, description)
      .option("--id <id>", "only this one, as list tells it; may be given again", collected, undefined)
      .option("--most <messages>", "at most so many, those set aside first; 1000", parseCount);

  verb(
    "list",
    "The consumers, each with its dead letters, what waits and what is parked, and the outboxes with what waits in them. A broker that cannot browse keeps its dead letters from others meanwhile, and may count a delivery.",
  )
    .option("--limit <messages>", "of each consumer at most so many; 20", parseCount)
    .action(async (module: string | undefined, options: ListMessagesOptions) =>
      exitWith(await runListMessages(module, options)),
    );

  acting(
    "redrive",
    "Sends dead letters to their queue again, under their identity: what was done is answered from the ledger and does not happen twice. Mend first what made them fail.",
  ).action(async (module: string | undefined, options: ActOnMessagesOptions) =>
    exitWith(await runRedrive(module, options)),
  );

  acting("discard", "Removes dead letters for good: those of --id, or of --reason.")
    .option("--yes", "does not ask; needed where nobody can be asked")
    .action(async (module: string | undefined, options: DiscardOptions) => exitWith(await runDiscard(module, options)));

  return messages;
}

function collected(id: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), id];
}
