/** Where the job's process is killed: `step: detail`, in the order of one run. */
export const pointsWithout = [
  "check: a row was looked up, nothing written",
  "write: one row done, the next not looked up",
] as const;

export const pointsWith = [
  "lease: taken, nothing read",
  "plan: windows written down, none begun",
  "window: begun, its progress not noted",
  "window: progress noted, fence not checked",
  "window: fence checked, not committed",
  "window: committed, the next not begun",
  "end: not recorded",
  "end: recorded, lease not given back",
] as const;

export type Point = (typeof pointsWithout)[number] | (typeof pointsWith)[number];
