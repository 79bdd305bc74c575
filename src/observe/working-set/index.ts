export { hashOf, hashOfNumber } from "../../base/hash.ts";
export { type SimulationOptions, type SimulationResult, simulateEviction } from "../../cache/memory/simulate.ts";
export {
  type Bill,
  type BillOptions,
  billOf,
  type Cost,
  cheapest,
  defaultPrices,
  type Prices,
  type Pricing,
} from "./bill.ts";
export {
  bytesAt,
  type Curve,
  type CurvePoint,
  entriesAt,
  meanWeight,
  missRatioAt,
  missRatioAtBytes,
} from "./curve.ts";
export { type TraceFormat, traceFormats } from "./requests.ts";
export { createSampler, type Sampler, type SamplerOptions } from "./sampler.ts";
export { knee, sizeFor } from "./sizes.ts";
export { type Study, type StudyOptions, studyTrace } from "./study.ts";
