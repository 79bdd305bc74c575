import { useEffect, useState } from "preact/hooks";
import type { AdministrationAnswer, JobKind, RunAnswer } from "../../src/page/wire.ts";
import { fetchJson, type JobAnswers, jobPath, Refused } from "./data.ts";

/** Kept in this tab alone, and never in an address: an address is sent to colleagues. */
const tokenKey = "reprise-token";

export interface Administration {
  /** `undefined`: nobody has answered yet. */
  readonly answer: AdministrationAnswer | undefined;
  readonly unlocked: boolean;
  /** `undefined`: it is the right token; else why nothing is unlocked. */
  readonly unlock: (token: string) => Promise<string | undefined>;
  readonly lock: () => void;
  /** The run as it stands after it. Rejects with what refused it. */
  readonly decide: (id: string, decision: object) => Promise<RunAnswer>;
  /** The load or the schedule as it stands after it, or while it is under way. Rejects with what refused it. */
  readonly act: <K extends JobKind>(kind: K, name: string, act: object) => Promise<JobAnswers[K]>;
}

export function useAdministration(alive: boolean): Administration {
  const [answer, setAnswer] = useState<AdministrationAnswer | undefined>(undefined);
  const [token, setToken] = useState(() => sessionStorage.getItem(tokenKey));
  const lock = () => {
    sessionStorage.removeItem(tokenKey);
    setToken(null);
  };
  const post = <T>(path: string, carried: string, body: object): Promise<T> =>
    fetchJson<T>(path, {
      method: "POST",
      headers: { authorization: `Bearer ${carried}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const send = async <T>(path: string, body: object): Promise<T> => {
    try {
      return await post<T>(path, token ?? "", body);
    } catch (error) {
      if (error instanceof Refused && error.code === "token") lock();
      throw error;
    }
  };
  useEffect(() => {
    fetchJson<AdministrationAnswer>("/administration.json").then(
      (found) => {
        setAnswer(found);
        const kept = sessionStorage.getItem(tokenKey);
        // the service may have been given another one meanwhile
        if (kept !== null) {
          post("/unlock", kept, {}).catch((error: unknown) => {
            if (error instanceof Refused) lock();
          });
        }
      },
      () => {},
    );
  }, [alive]);
  return {
    answer,
    unlocked: token !== null && answer?.decides === "here",
    unlock: async (given) => {
      try {
        await post("/unlock", given, {});
      } catch (error) {
        return error instanceof Refused
          ? error.message.replace("Nothing was changed. ", "")
          : "The service did not answer.";
      }
      sessionStorage.setItem(tokenKey, given);
      setToken(given);
      return undefined;
    },
    lock,
    decide: (id, decision) => send<RunAnswer>(`/runs/${id}/decide`, decision),
    act: <K extends JobKind>(kind: K, name: string, act: object) =>
      send<JobAnswers[K]>(`${jobPath(kind, name)}/act`, act),
  };
}
