import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import { sendAnswer } from "./express-answer.ts";
import { sendReply } from "./fastify-answer.ts";
import { type GuardableReply, takeReply } from "./fastify-taking.ts";
import { isExpress } from "./nest-shapes.ts";
import { type Taken, takeResponse } from "./taking.ts";

/** Nest holds the response itself, so it is the response itself that is taken, and given back to send an answer. */
export function takeNest(response: unknown, atMost: number): Taken {
  return isExpress(response)
    ? takeResponse(response as ServerResponse, atMost)
    : takeReply(response as GuardableReply, atMost);
}

/** Sends an answer; what Nest sends afterwards goes nowhere. */
export function answerNest(response: unknown, answer: Answer): void {
  if (isExpress(response)) sendAnswer(response, answer);
  else sendReply(response as GuardableReply, answer);
  takeNest(response, 0);
}
