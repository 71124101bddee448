import pLimit from 'p-limit';
import { conflictError, isTenantctlError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import type { Tier } from '../../core/tier.js';
import type { Fleet } from '../../engine/context.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';
import { isDatabaseError } from '../../pg/errors.js';
import { tryWithLock } from '../../pg/locks.js';
import { loadFleetMigrations } from '../migrations.js';
import { disappearedOf } from './disappeared.js';
import { Judge, type Standing } from './judge.js';
import { Known, type NewTenant, type SiftedUnit } from './known.js';
import { type ListedUnit, type RowProblem, gather } from './listed.js';
import { lookAtDatabase } from './look.js';
import type { AdoptReport, FoundUnit, RefusedUnit } from './report.js';
import type { AdoptOptions, AdoptRow } from './request.js';
import { refuseSharedLedgers } from './shared-ledgers.js';
import { compareShapes, shortShape } from './shapes.js';
import { Standards } from './standards.js';
import { takingOf } from './taking.js';
import { type Taking, writeHomes } from './take-in.js';
import { takeBackHomes } from './take-back.js';
import { type TakenTenant, writeCatalog } from './write-catalog.js';

/** Databases that are looked at, or written to, at a time on all clusters together. */
const DATABASES_AT_ONCE = 8;

/**
 * Takes an existing fleet under management. Only the catalog and schema `tenantctl` are written; no object of the application is
 * touched. Homes come first, then the catalog: the same list again takes in what is new, and finishes what a crash has left half
 * done.
 * @throws configuration error (exit 3) for files that cannot be read · conflict `ADOPT_IN_PROGRESS` (exit 5)
 */
export async function adopt(
  fleet: Fleet,
  rows: AsyncIterable<AdoptRow>,
  options: AdoptOptions,
): Promise<AdoptReport> {
  const began = performance.now();
  const migrations = await loadFleetMigrations(fleet);
  const { listed, problems } = await gather(fleet, rows);
  const work = (): Promise<Omit<AdoptReport, 'durationMs'>> =>
    adoptListed(fleet, listed, problems, migrations, options);
  const report = options.dryRun ? await work() : await alone(fleet, work);
  return { ...report, durationMs: Math.round(performance.now() - began) };
}

async function alone<T>(fleet: Fleet, work: () => Promise<T>): Promise<T> {
  const done = await fleet.catalogHeld((connection) => tryWithLock(connection, 'install', 'adopt', work));
  if (done !== undefined) return done.value;
  throw conflictError('ADOPT_IN_PROGRESS', 'Another process is adopting into this catalog.', {
    hint: 'Wait for it and run the same command again.',
  });
}

async function adoptListed(
  fleet: Fleet,
  listed: readonly ListedUnit[],
  problems: RowProblem[],
  migrations: readonly Migration[],
  options: AdoptOptions,
): Promise<Omit<AdoptReport, 'durationMs'>> {
  const known = await Known.read(fleet);
  const sifted = listed.flatMap((unit) => known.sift(unit, problems) ?? []);
  const judgeFor = judgesFor(migrations, options);
  const { standings: compared, shapes } = await compareShapes(
    await judgeAll(fleet, sifted, judgeFor),
    ({ listed: { unit } }) => judgeFor(unit.tier),
    new Standards(fleet, migrations),
    options.accept,
  );
  const standings = options.dualWrite ? refuseSharedLedgers(compared) : compared;
  const byUnit = new Map(standings.map((standing) => [standing.listed, standing]));
  const takings = sifted.flatMap((one) => {
    const standing = byUnit.get(one.listed) as Standing;
    return standing.reason === null ? [takingOf(fleet, one, standing, options)] : [];
  });
  tellEndedMirrors(fleet, takings);
  const left = options.dryRun
    ? new Map<ListedUnit, Left>()
    : await takeIn(fleet, takings, migrations, problems);
  const units = sifted.map((one) =>
    toFound(one, { ...(byUnit.get(one.listed) as Standing), ...left.get(one.listed) }),
  );
  return {
    ...countsOf(units),
    tenants: sifted.reduce(
      (sum, { tenants }, n) => sum + (units[n]?.taken === 'adopted' ? tenants.length : 0),
      0,
    ),
    refused: units.filter(({ taken }) => taken === 'refused').map(toRefused),
    shapes,
    units,
    problems: problems.toSorted((a, b) => a.line - b.line),
    disappeared: await disappearedOf(fleet, known.adopted()),
  };
}

/** Who leaves out --dual-write ends it where it was: that must not happen without a word. */
function tellEndedMirrors(fleet: Fleet, takings: readonly Taking[]): void {
  const ended = takings.filter(
    ({ standing, adoption }) => standing.facts?.adopted?.dualWrite === true && adoption?.dualWrite !== true,
  );
  const [first] = ended;
  if (first === undefined) return;
  const message = `the other tool's ledger is kept true no longer in ${ended.length} of the units, ${first.standing.listed.unit.id} among them; with --dual-write it goes on`;
  fleet.emit({ type: 'notice', level: 'warning', code: 'DUAL_WRITE_ENDS', message });
}

/** Judges of the tiers, as each tier has files of its own. */
function judgesFor(migrations: readonly Migration[], { ledger }: AdoptOptions): (tier: Tier) => Judge {
  const judges = new Map<Tier, Judge>();
  return (tier) => {
    const judge = judges.get(tier) ?? new Judge(migrationsFor(migrations, tier), ledger);
    judges.set(tier, judge);
    return judge;
  };
}

/** Looks at all databases, a few at a time, and judges each unit by its ledger. */
async function judgeAll(
  fleet: Fleet,
  sifted: readonly SiftedUnit[],
  judgeFor: (tier: Tier) => Judge,
): Promise<Standing[]> {
  const native = new Set(sifted.filter((one) => one.native).map((one) => one.listed));
  const standings = await overDatabases(
    sifted.map((one) => one.listed),
    ({ unit: { cluster, database } }) => [cluster, database],
    async (units) => {
      const looked = await lookAtDatabase(fleet, units);
      return looked.map((one) => judgeFor(one.listed.unit.tier).judge(one, native.has(one.listed)));
    },
  );
  return standings.flat();
}

/** Why a unit was not taken in although nothing was to be said against it. */
type Left = Pick<Standing, 'state' | 'reason' | 'hint'>;

/** @returns units that were left out: somebody has been at work on them since, or their database takes nothing in */
async function takeIn(
  fleet: Fleet,
  takings: readonly Taking[],
  migrations: readonly Migration[],
  problems: RowProblem[],
): Promise<Map<ListedUnit, Left>> {
  const left = await overDatabases(
    takings,
    // Files are those of a tier.
    ({ placement: { cluster, database, tier } }) => [cluster, database, tier],
    async (some) => {
      if (fleet.signal.aborted) return leftOut(some, INTERRUPTED);
      const files = migrationsFor(migrations, (some[0] as Taking).placement.tier);
      const done = await writeHomes(fleet, some, files).catch((error: unknown) => refusedBy(fleet, error));
      if (!Array.isArray(done)) return leftOut(some, done);
      const rivalled = await writeCatalog(fleet, done);
      await takeBackHomes(fleet, rivalled);
      for (const { taking, tenant } of rivalled) problems.push(rivalOf(taking, tenant));
      const written = new Set(done);
      return [
        ...leftOut(
          some.filter((taking) => !written.has(taking)),
          fleet.signal.aborted ? INTERRUPTED : OVERTAKEN,
        ),
        ...leftOut(withoutTenants(rivalled), RIVALLED),
      ];
    },
  );
  return new Map(left.flat());
}

/** Units of which every new tenant was given away. */
function withoutTenants(rivalled: readonly TakenTenant[]): Taking[] {
  return [...groupBy(rivalled, ({ taking }) => taking)]
    .filter(([{ sifted }, gone]) => gone.length === sifted.tenants.length && sifted.existing === 0)
    .map(([taking]) => taking);
}

function rivalOf({ placement }: Taking, { line, id, key }: NewTenant): RowProblem {
  const message = `tenant ${id}, its key ${key} or schema ${placement.schema} was given away meanwhile; run the same command again to see to whom`;
  return { line, id, message };
}

const leftOut = (takings: readonly Taking[], why: Left): [ListedUnit, Left][] =>
  takings.map(({ standing }) => [standing.listed, why]);

const INTERRUPTED: Left = {
  state: 'busy',
  reason: 'it was not come to before the interruption',
  hint: 'Run the same command again.',
};
const RIVALLED: Left = {
  ...INTERRUPTED,
  state: 'invalid',
  reason: 'its tenant, the key or the place was given away since it was looked at',
};
const OVERTAKEN: Left = { ...INTERRUPTED, reason: 'somebody has been at work on it since it was looked at' };

/** A database that cannot be written to leaves the others whole. */
function refusedBy(fleet: Fleet, error: unknown): Left {
  if (fleet.cancelled || !(isTenantctlError(error) || isDatabaseError(error))) throw error;
  const hint = isTenantctlError(error) ? error.hint : undefined;
  return {
    state: 'unreachable',
    reason: error.message,
    hint: hint ?? 'See to the database, and run the same command again.',
  };
}

/** Work on what is in one database together, some databases at a time. */
function overDatabases<T, R>(
  items: readonly T[],
  placeOf: (item: T) => readonly string[],
  work: (items: T[]) => Promise<R>,
): Promise<R[]> {
  const lane = pLimit(DATABASES_AT_ONCE);
  const groups = groupBy(items, (item) => JSON.stringify(placeOf(item)));
  return Promise.all([...groups.values()].map((group) => lane(() => work(group))));
}

function toFound(sifted: SiftedUnit, { listed, facts, ...standing }: Standing): FoundUnit {
  const { id, tier, cluster, database, schema } = listed.unit;
  const { state, reason, hint, difference, tool, version } = standing;
  const isNew = sifted.tenants.length > 0;
  return {
    unit: id,
    tier,
    cluster,
    database,
    schema,
    tenants: sifted.tenants.length + sifted.existing,
    state,
    tool,
    version,
    shape: typeof facts?.fingerprint === 'string' ? shortShape(facts.fingerprint) : null,
    taken: reason !== null ? 'refused' : isNew ? 'adopted' : 'existing',
    reason,
    hint,
    difference,
  };
}

function toRefused({ unit, reason, hint, difference }: FoundUnit): RefusedUnit {
  return { unit, reason: reason ?? '', hint, difference };
}

function countsOf(units: readonly FoundUnit[]) {
  const of = (what: FoundUnit['taken']) => units.filter(({ taken }) => taken === what).length;
  return { adopted: of('adopted'), existing: of('existing') };
}
