export { type AzureBlobsOptions, azureBlobs } from "./blobs.ts";
export type { AzureBlob, AzureContainer, AzureLease } from "./container.ts";
export { type AzureLeasesOptions, azureLeases } from "./leases.ts";
