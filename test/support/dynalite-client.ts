import { DynamoDB } from "@aws-sdk/client-dynamodb";

/** A client of its own, for the dynalite at that port. */
export function dynaliteClient(port: number): DynamoDB {
  return new DynamoDB({
    endpoint: `http://127.0.0.1:${port}`,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
}
