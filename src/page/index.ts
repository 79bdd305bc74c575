/**
 * The page: live figures, runs and decisions of one reprise, served from its own process.
 *
 * @module
 * @example
 * import { pageHandler } from "reprise/page";
 * const page = pageHandler(reprise);
 */
export { type PageContext, type PageHandler, type PageOptions, pageHandler, type Shown } from "./handler.ts";
export type { Incident, IncidentResult, IncidentSide } from "./incident.ts";
