import { configError, conflictError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { MigrationFile } from '../formats/format.js';

/** One row of a unit's ledger that stands (was not rolled back). */
export interface LedgerEntry {
  id: number;
  name: string;
  checksum: string;
  state: 'started' | 'applied';
  /** Statements, or batches, that a started one has done. */
  stepsDone?: number;
  /** The run that applied it, or null. */
  run: string | null;
}

/** The same with the time it was applied. */
export interface DatedEntry extends LedgerEntry {
  appliedAt: string;
}

const COLUMNS = raw('id, name, checksum, state, run, steps_done as "stepsDone"');

/**
 * The standing ledger of every unit of one database, oldest first, in one query. Most units of a fleet have the same
 * history: each is read once, and the units share the list.
 * @param of the ledger keys of the units to read; all when left out
 */
export async function readLedgers(
  connection: Connection,
  of?: readonly string[],
): Promise<Map<string, readonly LedgerEntry[]>> {
  const which = of === undefined ? raw('') : sql`and unit = any(${of}::text[])`;
  const histories = await connection.rows<{ units: string[]; ledger: readonly LedgerEntry[] }>(sql`
    select units, (select json_agg(entry order by id)
                     from (select ${COLUMNS} from tenantctl.ledger where unit = first and rolled_back_at is null) entry) as ledger
      from (select min(unit) as first, array_agg(unit) as units
              from (select unit, sum(hashtextextended(row(id, name, checksum, state, run, steps_done)::text, 0)) as history
                      from tenantctl.ledger where rolled_back_at is null ${which} group by unit) one
             group by history) same`);
  return new Map(
    histories.flatMap(({ units, ledger }) =>
      units.map((unit): [string, readonly LedgerEntry[]] => [unit, ledger]),
    ),
  );
}

/**
 * The same of some units, as it stands there. A session that has just been opened takes longer to plan the other query
 * than to run this one.
 */
export async function readFewLedgers(
  connection: Connection,
  units: readonly string[],
): Promise<Map<string, readonly LedgerEntry[]>> {
  const entries = await connection.rows<LedgerEntry & { unit: string }>(sql`
    select unit, ${COLUMNS} from tenantctl.ledger
     where unit = any(${units}::text[]) and rolled_back_at is null order by id`);
  return groupBy(entries, ({ unit }) => unit);
}

/** The standing ledger of one unit, oldest first. */
export async function readLedger(connection: Connection, unit: MigrationUnit): Promise<DatedEntry[]> {
  return connection.rows<DatedEntry>(sql`
    select ${COLUMNS}, applied_at::text as "appliedAt" from tenantctl.ledger where unit = ${unit.ledgerKey} and rolled_back_at is null order by id`);
}

/** The numbers of the files that were rolled back and not applied since, by unit. */
export async function readTakenBack(connection: Connection): Promise<Map<string, readonly number[]>> {
  const rows = await connection.rows<{ unit: string; ids: number[] }>(sql`
    select unit, array_agg(distinct id) as ids from tenantctl.ledger l
     where rolled_back_at is not null
       and not exists (select from tenantctl.ledger s where s.unit = l.unit and s.id = l.id and s.rolled_back_at is null)
     group by unit`);
  return new Map(rows.map(({ unit, ids }) => [unit, ids]));
}

/** The newest migration a ledger has fully applied, or null. */
export function newestOf(ledger: readonly LedgerEntry[]): LedgerEntry | null {
  return ledger.findLast(({ state }) => state === 'applied') ?? null;
}

/**
 * What a unit still needs, after making sure that what it has is what the files say.
 * @throws configuration error `MIGRATION_EDITED` (exit 3) when an applied file was changed since,
 *   `MIGRATION_OUT_OF_ORDER` when a new one came before it
 * @throws conflict `UNIT_AHEAD` (exit 5) when the unit has migrations that there are no files for
 */
export function pendingOf<File extends MigrationFile>(
  unit: MigrationUnit,
  files: readonly File[],
  ledger: readonly LedgerEntry[],
): File[] {
  const byId = new Map(files.map((file) => [file.id, file]));
  const applied = new Set<number>();
  for (const entry of ledger) {
    const file = byId.get(entry.id);
    if (file === undefined) throw unitAhead(unit, entry);
    if (files.some(({ id, name }) => name === entry.name && id > entry.id))
      throw outOfOrder(unit, entry, file);
    if ((file.checksum !== entry.checksum || file.name !== entry.name) && !isUntouched(entry))
      throw edited(unit, entry, file);
    if (entry.state === 'applied') applied.add(entry.id);
  }
  return files.filter(({ id }) => !applied.has(id));
}

/** A file of which no statement has succeeded yet is corrected where it stands; there is no other way on. */
function isUntouched({ state, stepsDone }: LedgerEntry): boolean {
  return state === 'started' && stepsDone === 0;
}

function edited(unit: MigrationUnit, entry: LedgerEntry, file: MigrationFile) {
  const change = entry.name === file.name ? 'was changed' : `was ${entry.name} and is now ${file.name}`;
  return configError(
    'MIGRATION_EDITED',
    `Migration ${entry.id} ${change} after ${unit.id} had it: ${file.fileName}.`,
    {
      hint: 'Put the file back as it was and make the change in a new migration.',
      facts: {
        unit: unit.id,
        migration: entry.name,
        file: file.path,
        recorded: entry.checksum,
        found: file.checksum,
      },
    },
  );
}

/** Formats without numbers of their own have an order by name or by a journal, and a merge may put a file in between. */
function outOfOrder(unit: MigrationUnit, entry: LedgerEntry, file: MigrationFile) {
  return configError(
    'MIGRATION_OUT_OF_ORDER',
    `${file.name} sorts before ${entry.name}, which ${unit.id} already has.`,
    {
      hint: `Give ${file.fileName} a newer name, so that it comes last; every unit must run the files in one order.`,
      facts: { unit: unit.id, migration: file.name, file: file.path, applied: entry.name },
    },
  );
}

function unitAhead(unit: MigrationUnit, entry: LedgerEntry) {
  return conflictError(
    'UNIT_AHEAD',
    `${unit.id} has migration ${entry.name}, for which there is no file here.`,
    {
      hint: 'This checkout is older than the fleet: update it, or check migrations.directory.',
      facts: { unit: unit.id, migration: entry.name },
    },
  );
}
