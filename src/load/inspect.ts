import type {
  Dialect,
  Job,
  JobColumn,
  Misfit,
  Session,
  Source,
  Survey,
  Target,
  TargetColumn,
  UniqueKey,
} from "./dialect.ts";
import type { LoadRefusal, LoadRefusalReason } from "./refusal.ts";
import type { LoadSettings } from "./settings.ts";
import { shownTable } from "./table-name.ts";
import { fits } from "./windows.ts";

/** What was found, or all that keeps a load from writing. */
export type Inspected =
  | { readonly is: "fit"; readonly job: Job; readonly source: Source }
  | { readonly is: "refused"; readonly because: readonly LoadRefusal[] };

/** Looks at the table and the source as they are now, and holds the declaration against them. Writes nothing. */
export async function inspect(dialect: Dialect, session: Session, settings: LoadSettings): Promise<Inspected> {
  const { into, source: from } = settings;
  const target = await dialect.target(session, into);
  if (target === null) return refused([tableMissing(shownTable(into), "rows could be written by their key to")]);
  const source = await dialect.source(session, from);
  if (source === null) {
    return refused([tableMissing("query" in from ? "the query" : shownTable(from), "rows could be read from")]);
  }
  const match = matchColumns(dialect, settings, target, source);
  const ofKey = keyRefusals(dialect, settings, target);
  const because = [
    ...faults(target),
    ...match.because,
    ...ofKey,
    ...secondKeys(dialect, settings, target, match.written).filter(
      (second) => !ofKey.some((one) => "key" in one && "key" in second && one.key === second.key),
    ),
    ...unfilled(dialect, target, match.written),
    ...markRefusals(dialect, settings, target),
  ];
  const { identity, version, content, by } = match;
  if (because.length > 0 || identity.length < settings.declaration.identity.length) return refused(because);
  const pairs = [...identity, ...(version === null ? [] : [version]), ...content];
  const misfits = await dialect.misfits(session, pairs);
  if (misfits.length > 0) return refused(misfits.map((misfit) => misfitRefusal(misfit, pairs)));
  const { declaration, mark } = settings;
  const markColumn = target.columns.find(({ name }) => name === mark?.column);
  const job: Job = {
    source: from,
    target,
    identity,
    version,
    content,
    by,
    keyTellsWindow: by !== null && declaration.identity.includes(by.name),
    ifSameVersionDiffers: declaration.ifSameVersionDiffers,
    ifSourceRepeatsKey: declaration.ifSourceRepeatsKey,
    mark: mark === null || markColumn === undefined ? null : { column: markColumn, atMost: mark.atMost },
  };
  return { is: "fit", job, source };
}

/** Whether the source itself forbids that a key comes twice, as the table compares it: then nobody has to look. */
export function forbidsRepeats(source: Source, identity: readonly JobColumn[]): boolean {
  const alike = identity.filter((column) => column.source.order === column.target.order).map(({ name }) => name);
  return source.keys.some(
    (key) => isSound(key) && key.columns.every((column) => column !== null && alike.includes(column)),
  );
}

/** What a survey of the rows says against a run. */
export function surveyRefusals(dialect: Dialect, job: Job, survey: Survey): readonly LoadRefusal[] {
  const { listRepeated, listNulls } = dialect.statements;
  const { repeated, versionless, windowless } = survey;
  const because: LoadRefusal[] = (survey.rounded ?? [])
    .filter(({ rows }) => rows > 0)
    .map(({ column, rows }) => ({
      ...{ what: "type-mismatch", is: "loses-value" },
      ...{ column: column.name, from: column.source.type, to: column.target.type },
      why: `${rows} rows of the source have more digits in '${column.name}' than ${column.target.type} of the table keeps: round them in a query, where that is meant.`,
      mend: [],
      list: dialect.statements.listRounded?.(job.source, column) ?? null,
    }));
  if (job.ifSourceRepeatsKey === "refuse" && repeated.keys > 0) {
    because.push({
      ...{ what: "source-repeats-key", keys: repeated.keys, rows: repeated.rows },
      why: `${repeated.keys} keys come more than once in the source, and nothing says which row is right.`,
      mend: [],
      list: listRepeated(job.source, job.identity),
    });
  }
  if (job.version !== null && versionless > 0) {
    because.push({
      ...{ what: "source-lacks-version", rows: versionless },
      why: `${versionless} rows of the source have no '${job.version.name}', so that nobody can tell whether they are newer.`,
      mend: [],
      list: listNulls(job.source, [job.version.name]),
    });
  }
  if (job.by !== null && !job.keyTellsWindow && windowless > 0) {
    because.push({
      ...{ what: "source-lacks-window", rows: windowless },
      why: `${windowless} rows of the source have no '${job.by.name}', so that they are in no window.`,
      mend: [],
      list: listNulls(job.source, [job.by.name]),
    });
  }
  return because;
}

interface Match {
  readonly identity: readonly JobColumn[];
  readonly version: JobColumn | null;
  readonly content: readonly JobColumn[];
  readonly by: JobColumn | null;
  readonly written: ReadonlySet<string>;
  readonly because: readonly LoadRefusal[];
}

function matchColumns(dialect: Dialect, settings: LoadSettings, target: Target, source: Source): Match {
  const { declaration, version, windows, mark } = settings;
  const because: LoadRefusal[] = [];
  const [into, from] = [
    shownTable(target.table),
    "query" in settings.source ? "the query" : shownTable(settings.source),
  ];
  const missing = (table: string, column: string, mend: readonly string[]) => {
    const why = `${table} has no column '${column}'.`;
    because.push({ what: "column-missing", table, column, why, mend, list: null });
    return undefined;
  };
  const pair = (name: string): JobColumn | undefined => {
    const ofSource = source.columns.find((column) => column.name === name);
    const ofTarget = target.columns.find((column) => column.name === name);
    if (ofSource === undefined) missing(from, name, []);
    if (ofTarget === undefined) {
      missing(into, name, ofSource === undefined ? [] : dialect.statements.addColumn(target, name, ofSource.type));
    }
    return ofSource === undefined || ofTarget === undefined ? undefined : { name, source: ofSource, target: ofTarget };
  };
  const written = (name: string): JobColumn | undefined => {
    const found = pair(name);
    if (target.columns.find((column) => column.name === name)?.isGenerated !== true) return found;
    const why = `the database makes the value of '${name}' itself.`;
    because.push({ what: "column-generated", table: into, column: name, why, mend: [], list: null });
    return undefined;
  };
  const isBoth = ({ name, isGenerated, isNumbered = false }: TargetColumn) =>
    !isGenerated && !isNumbered && name !== mark?.column && source.columns.some((column) => column.name === name);
  const names = declaration.columns ?? target.columns.filter(isBoth).map(({ name }) => name);
  const own = new Set([...declaration.identity, version]);
  const all = (wanted: readonly string[]) => wanted.map(written).filter((column) => column !== undefined);

  const identity = all(declaration.identity);
  const versionColumn = version === null ? null : (written(version) ?? null);
  if (versionColumn?.target.isNullable === true) {
    const ofTarget = target.columns.find(({ name }) => name === version);
    because.push({
      ...{ what: "version-nullable", table: into, column: versionColumn.name },
      why: `'${versionColumn.name}' of ${into} may be null, and then nobody can tell which row is newer.`,
      mend: ofTarget === undefined ? [] : dialect.statements.setNotNull(target, [ofTarget]),
      list: dialect.statements.listNulls(target.table, [versionColumn.name]),
    });
  }
  const content = all(names.filter((name) => !own.has(name)));
  const known = [...identity, ...(versionColumn === null ? [] : [versionColumn]), ...content];
  const by =
    windows.is === "by"
      ? (known.find(({ name }) => name === windows.column) ?? pairOnce(windows.column, own, pair))
      : null;
  if (windows.is === "by" && by !== null) {
    const { kind, type } = by.source;
    if (kind !== by.target.kind || !fits(kind, windows.step)) {
      const why = `windows of '${by.name}' cannot be cut so: it is ${type} in the source and ${by.target.type} in the table.`;
      because.push({ what: "window-column-unfit", column: by.name, type, why, mend: [], list: null });
    }
  }
  const isBound = dialect.isBound ?? (() => true);
  for (const { name, source: ofSource, target: ofTarget } of windows.is === "rows" ? identity : []) {
    const unfit = [ofTarget, ofSource].find((column) => !isBound(column));
    if (unfit === undefined) continue;
    const { type } = unfit;
    const why = `windows of rows cannot be cut at values of '${name}', which is ${type}: cut them by another column, or say 'whole'.`;
    because.push({ what: "window-column-unfit", column: name, type, why, mend: [], list: null });
  }
  return {
    ...{ identity, version: versionColumn, content, by, because },
    written: new Set([...own, ...names].filter((name) => name !== null)),
  };
}

/** What is part of the identity, or the version, and missing was told already. */
function pairOnce(name: string, told: ReadonlySet<string | null>, pair: (name: string) => JobColumn | undefined) {
  return told.has(name) ? null : (pair(name) ?? null);
}

function keyRefusals(dialect: Dialect, settings: LoadSettings, target: Target): readonly LoadRefusal[] {
  const { identity } = settings.declaration;
  const { addUniqueKey, dropKey, setNotNull, deleteRepeated, listRepeated, listNulls } = dialect.statements;
  const table = shownTable(target.table);
  const isOver = (key: UniqueKey) =>
    key.columns.length === identity.length &&
    key.columns.every((column) => column !== null && identity.includes(column));
  const same = target.keys.filter(isOver);
  const nullable = target.columns.filter(({ name, isNullable }) => isNullable && identity.includes(name));
  if (same.some(isSound)) {
    // beside a sound one: an insert that names the columns relies on both
    const deferrable = same.filter(({ isDeferrable }) => isDeferrable);
    return [
      ...deferrable.map((key) => {
        const { reason, why } = causeOf(target, table, identity, [key]);
        return { ...reason, why, mend: dropKey(target, key), list: null };
      }),
      ...nullable.map(({ name }) => ({
        ...{ what: "key-nullable" as const, table, column: name },
        why: `'${name}' of ${table} may be null, and rows with null are never the same to a unique key.`,
        // all of them: where a table must be made anew for it, that is once
        mend: setNotNull(target, nullable),
        list: listNulls(target.table, [name]),
      })),
    ];
  }
  const cause = causeOf(target, table, identity, same);
  // a key cannot be built over columns that are not there
  if (identity.some((name) => !target.columns.some((column) => column.name === name))) return [];
  const broken = target.keys.find((key) => "key" in cause.reason && key.name === cause.reason.key);
  const { what } = cause.reason;
  // beside the key that is wanted it is in the way: by its name, or as a second key of MySQL's
  const blocks =
    what === "key-invalid" || what === "key-deferrable" || (what === "key-expression" && dialect.name === "mysql");
  return [
    {
      ...cause.reason,
      why: cause.why,
      mend: [
        ...deleteRepeated(target, identity, settings.version),
        ...(broken !== undefined && blocks ? dropKey(target, broken) : []),
        ...(nullable.length === 0 ? [] : setNotNull(target, nullable)),
        ...addUniqueKey(target, identity),
      ],
      list: listRepeated(target.table, identity),
    },
  ];
}

function isSound({ isTotal, isValid, isDeferrable, columns }: UniqueKey): boolean {
  return isTotal && isValid && !isDeferrable && !columns.includes(null);
}

function causeOf(
  target: Target,
  table: string,
  identity: readonly string[],
  same: readonly UniqueKey[],
): { readonly reason: LoadRefusalReason; readonly why: string } {
  const because = (
    what: "key-invalid" | "key-partial" | "key-deferrable" | "key-expression",
    key: string,
    why: string,
  ) => ({
    reason: { what, table, key },
    why: `the unique key '${key}' of ${table} ${why}`,
  });
  for (const { name, isValid, isTotal } of same) {
    if (!isValid) return because("key-invalid", name, "is invalid: its making failed, and it keeps nothing apart.");
    if (!isTotal) return because("key-partial", name, "holds for a part of the rows only.");
    return because("key-deferrable", name, "may be deferred, so that no insert can rely on it.");
  }
  const expression = target.keys.find(
    ({ columns }) => columns.includes(null) && columns.every((column) => column === null || identity.includes(column)),
  );
  if (expression !== undefined) {
    return because("key-expression", expression.name, "is over an expression, not over the columns themselves.");
  }
  return {
    reason: { what: "key-missing", table, columns: identity },
    why: `${table} has no unique key over exactly ${identity.join(", ")}: two loads at once would insert a row twice.`,
  };
}

function faults(target: Target): readonly LoadRefusal[] {
  const table = shownTable(target.table);
  return (target.faults ?? []).map(({ why, mend }) => ({
    ...{ what: "table-unsafe", table },
    why: `${table} is no safe place: ${why}`,
    mend,
    list: null,
  }));
}

function secondKeys(
  dialect: Dialect,
  settings: LoadSettings,
  target: Target,
  written: ReadonlySet<string>,
): readonly LoadRefusal[] {
  if (dialect.name !== "mysql") return [];
  const { identity } = settings.declaration;
  // what a row meets in a key that holds the identity too is the row of its identity
  const holdsIdentity = ({ columns }: UniqueKey) => identity.every((name) => columns.includes(name));
  // one that the database fills alone is met by no row of the source
  const isMet = ({ columns }: UniqueKey) => columns.every((column) => column === null || written.has(column));
  const table = shownTable(target.table);
  return target.keys
    .filter((key) => !holdsIdentity(key) && isMet(key))
    .map((key) => ({
      ...{ what: "second-key", table, key: key.name },
      why: `${table} has a second unique key '${key.name}': a row that meets both would update one of two rows silently.`,
      mend: dialect.statements.dropKey(target, key),
      list: null,
    }));
}

function unfilled(dialect: Dialect, target: Target, written: ReadonlySet<string>): readonly LoadRefusal[] {
  const table = shownTable(target.table);
  return target.columns
    .filter(
      ({ name, isNullable, isGenerated, hasDefault }) =>
        !isNullable && !isGenerated && !hasDefault && !written.has(name),
    )
    .map((column) => ({
      ...{ what: "column-unfilled", table, column: column.name },
      why: `'${column.name}' of ${table} may not be null, has no default, and the source has no such column.`,
      mend: dialect.statements.setDefault(target, column),
      list: null,
    }));
}

function markRefusals(dialect: Dialect, settings: LoadSettings, target: Target): readonly LoadRefusal[] {
  const { mark } = settings;
  if (mark === null) return [];
  const table = shownTable(target.table);
  const column = target.columns.find(({ name }) => name === mark.column);
  if (column?.isNullable === true && !column.isGenerated && isTime(column)) return [];
  return [
    {
      ...{ what: "mark-unfit", table, column: mark.column },
      why: `'${mark.column}' of ${table} is no column of dates or instants that may be null.`,
      mend: column === undefined ? dialect.statements.addColumn(target, mark.column, dialect.statements.markType) : [],
      list: null,
    },
  ];
}

function isTime({ kind }: TargetColumn): boolean {
  return kind === "date" || kind === "timestamp" || kind === "instant";
}

function misfitRefusal({ column, why }: Misfit, pairs: readonly JobColumn[]): LoadRefusal {
  const pair = pairs.find(({ name }) => name === column);
  const [from, to] = [pair?.source.type ?? "", pair?.target.type ?? ""];
  const reasons = {
    "not-assignable": `'${column}' is ${from} in the source, which is not assigned to ${to}: cast it in a query.`,
    "loses-value": `'${column}' is ${from} in the source and ${to} in the table, which would lose a part of it silently: cast it in a query, where that is meant.`,
    "depends-on-session": `'${column}' is ${from} in the source and ${to} in the table, which depends on the time zone of a session: say in a query of which zone it is.`,
    "not-comparable": `'${column}' is ${to}, whose values cannot be compared: leave it out of 'columns', or give it another type.`,
  };
  return { what: "type-mismatch", column, from, to, is: why, why: reasons[why], mend: [], list: null };
}

function tableMissing(table: string, use: string): LoadRefusal {
  return { what: "table-missing", table, why: `${table} is no table that ${use}.`, mend: [], list: null };
}

function refused(because: readonly LoadRefusal[]): Inspected {
  return { is: "refused", because };
}
