/** What a property's name says of its value. */
export type Meaning =
  | "password"
  | "private-key"
  | "token"
  | "pin"
  | "national-id"
  | "card"
  /** Somebody's key, so that long digits mean nothing. */
  | "id"
  | "nothing"
  /** No name at all, but the key of a record. */
  | "key";

const password = /(?:pass(?:wor[dt]|wd|phrase|code)|kennwort|secret|(?:^|_)pwd|Pwd)(?:_?(?:hash(?:ed)?|digest))?$/i;
/** What is said about a password, or what leads to another one. */
const aboutPassword = /^(?:is|has|show|need|require|forgot|reset|change)/i;
const token = /(?:access|refresh|auth|session|bearer|csrf|api)_?token$|(?:api|secret|access)_?key$/i;
const privateKey = /private_?key$/i;
const nationalId =
  /^(?:ssn|social_?security(?:_?(?:number|no))?|dni|nie|nif|nir|nino|national_?insurance_?number|cpf)$/i;
const card = /card|^pan$|^cc_?(?:number|no|num)$/i;
const id = /(?:^id|_id|Id|ID|[a-z]_?uuid)s?$/;

/** A name of a declaration; a record's key, which may itself be private, has more digits or other characters. */
const plain = /^[A-Za-z_$][A-Za-z_$-]*(?:\d{1,3}[A-Za-z_$-]*){0,2}$/;

/** Names recur with every value of a shape; keys of records are not kept. */
const known = new Map<string, Meaning>();
const mostKnown = 1_000;

export function meaningOf(name: string): Meaning {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (name.length > 64 || !plain.test(name)) return "key";
  const meaning = readMeaning(name);
  if (known.size >= mostKnown) known.clear();
  known.set(name, meaning);
  return meaning;
}

function readMeaning(name: string): Meaning {
  if (password.test(name) && !aboutPassword.test(name)) return "password";
  if (privateKey.test(name)) return "private-key";
  if (token.test(name)) return "token";
  if (/^pin(?:_?hash)?$/i.test(name)) return "pin";
  if (nationalId.test(name)) return "national-id";
  if (id.test(name)) return "id";
  if (card.test(name)) return "card";
  return "nothing";
}
