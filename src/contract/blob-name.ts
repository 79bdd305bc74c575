import { RepriseError } from "../base/errors.ts";

/** UTF-8. Azure takes 1,024 characters, a path of most systems four times as many bytes. */
const longestName = 1_024;
/** UTF-8. What one name in a folder may have on most file systems. */
const longestPart = 255;
/** The folder where a store of files makes them, and no blob lies. */
export const makersFolder = ".reprise";

/**
 * Refuses a name that some store would not keep as it is, so that a name that one takes is a name everywhere: parts of at
 * most 255 bytes with a slash between them, 1,024 in all. A part that is empty, `.`, `..` or ends in a dot is resolved or
 * cut by addresses and file systems, and a backslash is a slash to some: such a name could mean another folder's file.
 *
 * @throws REPRISE_BAD_DECLARATION
 */
export function checkBlobName(name: string): void {
  const why = faultOf(name);
  if (why === undefined) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "The name of a blob",
    why: `It ${why}, so nothing was read or written.`,
    mend: "Name blobs like 'customers/42.json'; encode what comes from outside.",
  });
}

function faultOf(name: string): string | undefined {
  if (name === "") return "is empty";
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return "holds a control character or half of a character";
  if (name.includes("\\")) return "holds a backslash";
  const parts = name.split("/");
  if (parts.includes("")) return "begins or ends with a slash, or holds two in a row";
  // file systems differ in whether case tells names apart
  if (parts[0]?.toLowerCase() === makersFolder) return `lies in '${makersFolder}', where a store makes its files`;
  if (parts.some((part) => part.endsWith("."))) return "holds a part that ends in a dot";
  if (Buffer.byteLength(name) > longestName) return `has more than ${longestName} bytes`;
  if (parts.some((part) => Buffer.byteLength(part) > longestPart))
    return `holds a part of more than ${longestPart} bytes`;
  return undefined;
}
