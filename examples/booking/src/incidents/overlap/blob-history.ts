import { createHash } from "node:crypto";
import type { BlobStore } from "reprise";
import { openDatabase } from "../../database/driver.ts";

/**
 * What was ever written, or tried to be, under each name: a store shows the last version alone. Noted before the write, so
 * that no kill comes between.
 */
export interface BlobHistory {
  readonly note: (name: string, bytes: Uint8Array) => void;
}

export function openHistory(path: string): BlobHistory {
  const database = openDatabase(path);
  database.exec("create table if not exists versions (name text not null, sha256 text not null, at text not null)");
  const insert = database.prepare("insert into versions values (?, ?, ?)");
  return {
    note: (name, bytes) => {
      insert.all(name, createHash("sha256").update(bytes).digest("hex"), new Date().toISOString());
    },
  };
}

export function withHistory(blobs: BlobStore, history: BlobHistory): BlobStore {
  return {
    name: blobs.name,
    read: (name, signal) => blobs.read(name, signal),
    putIfAbsent: (name, bytes, signal) => {
      history.note(name, bytes);
      return blobs.putIfAbsent(name, bytes, signal);
    },
    putIfToken: (name, bytes, token, signal) => {
      history.note(name, bytes);
      return blobs.putIfToken(name, bytes, token, signal);
    },
  };
}
