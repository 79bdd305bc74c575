import { withModule } from "./apart.ts";
import type { DeclaredService } from "./importing.ts";

/** What the instances that a module exports declare, or a sentence that says why nothing is told. Nothing is started. */
export function readDeclarations(module: string, deadlineMs: number): Promise<readonly DeclaredService[] | string> {
  return withModule(module, deadlineMs, async ({ services }) => services);
}
