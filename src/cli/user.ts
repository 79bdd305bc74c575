import { userInfo } from "node:os";

/** Whoever runs this process; `undefined`: a container's user may have no name. */
export function user(): string | undefined {
  try {
    return process.env["USER"] ?? userInfo().username;
  } catch {
    return undefined;
  }
}
