export { type SimulationOptions, type SimulationResult, simulateEviction } from "../../cache/memory/simulate.ts";
