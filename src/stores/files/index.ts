export { type FileBlobsOptions, fileBlobs } from "./blobs.ts";
