import { TableClient } from "@azure/data-tables";

/** The one account that every Azurite has; it is printed in its documentation. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** A client of its own, for the Azurite at that port. */
export function azuriteTable(port: number, table: string): TableClient {
  return TableClient.fromConnectionString(
    `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};TableEndpoint=http://127.0.0.1:${port}/${account};`,
    table,
    { allowInsecureConnection: true },
  );
}
