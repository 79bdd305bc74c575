import type { CallerContract, Decided } from "./decided.ts";

/** What one service promises whoever calls its operations: what each form of the contract is made of. */
export interface ServiceContract {
  readonly service: string;
  readonly operations: readonly OperationContract[];
}

export interface OperationContract {
  readonly name: string;
  readonly owner: string | null;
  readonly contract: CallerContract;
}

export function serviceContract(service: string, decisions: readonly Decided[]): ServiceContract {
  return {
    service,
    operations: decisions.flatMap(({ name, owner, contract }) =>
      contract === undefined ? [] : [{ name, owner: owner ?? null, contract }],
    ),
  };
}
