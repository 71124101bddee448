import pLimit from 'p-limit';
import type { Finding } from '../../core/finding.js';
import { type Coverage, objectCoverage, together } from './coverage.js';
import { modeOf, rulesOfPool } from '../../core/pool-rules.js';
import { isDatabaseError } from '../../pg/errors.js';
import type { Connection } from '../../pg/connection.js';
import type { Fleet } from '../context.js';
import { COMMANDS } from './attempt.js';
import { asObserved } from './observed.js';
import { readConditions } from './conditions.js';
import { type Judged, TRIED, judgeTable, untried } from './judge-table.js';
import { poolNotProbedFinding } from './pool-not-probed.js';
import { overtimeFinding, reachesOutFinding } from './not-inspected.js';
import { isOvertime } from './overtime.js';
import { type ProbingRoles, readProbingRoles } from './probing-roles.js';
import { readReach } from './reach/reach.js';
import { tryTable } from './probe-table.js';
import { CONTEXTS, type Tried } from './table-run.js';
import { type Scene, applicationWrites, inFreshSession, owner, ownerWrites, placeOf, send } from './scene.js';
import { foreignRowsRead } from './probes/foreign-rows-read.js';
import { foreignRowsWritten } from './probes/foreign-rows-written.js';
import { probeFunctions } from './probe-functions.js';
import { probeViews } from './probe-views.js';
import { readRealRows } from './real-tenants.js';
import { NoRow, type Owned } from './specimen/make-rows.js';
import { type Relation, readTables } from './specimen/relation.js';

/** Where a pool is. */
export interface ProbedPool {
  cluster: string;
  database: string;
  schema: string;
  ledgerKey: string;
}

/** Prepares the home of a throw-away tenant as a provisioned one is prepared. */
export type SeedTenant = (session: Connection, tenant: string) => Promise<void>;

export interface Probed {
  findings: Finding[];
  coverage: Coverage;
}

const TABLES_AT_ONCE = 3;
const CROSSINGS = new Set([foreignRowsRead.name, foreignRowsWritten.name]);

/**
 * Tries to cross from one tenant to another in every table of a pool, as each role that applications act as and that has rights
 * of its own. Nothing is committed.
 */
export async function probePool(fleet: Fleet, pool: ProbedPool, seed: SeedTenant): Promise<Probed> {
  const { scenes, left, lacking } = await scenesOf(fleet, pool);
  const probed: Probed[] = [];
  for (const scene of scenes) probed.push(await probeAs(scene, seed));
  const gaps = left.map(({ where, reason }) => ({
    where: placeOf(pool, `${pool.schema}, ${where}`),
    reason,
  }));
  const coverage = together([...probed.map((one) => one.coverage), objectCoverage(gaps.length, 0, gaps)]);
  const rules = rulesOfPool(fleet.settings, pool);
  return {
    findings: [
      ...untriedPool(scenes, lacking),
      ...asObserved(
        `${pool.cluster}/${pool.database}`,
        [{ name: pool.ledgerKey, schema: pool.schema, rules }],
        ofAllRoles(scenes, probed),
      ),
    ],
    coverage: { ...coverage, tables: probed[0]?.coverage.tables ?? 0 },
  };
}

/** A pool in which there is something to try, and nobody who may, must not look like one that keeps its tenants apart. */
function untriedPool([own]: readonly Scene[], lacking: string | null): Finding[] {
  if (own === undefined || lacking === null) return [];
  const tried = targetsOf(own).some((table) => mayAnything(table) && !isLeftOpen(own, table));
  return tried ? [poolNotProbedFinding(own, lacking)] : [];
}

/** What a further role finds is told where the application's own has not found it already. */
function ofAllRoles(scenes: readonly Scene[], probed: readonly Probed[]): Finding[] {
  const [first, ...others] = probed.map(({ findings }) => findings);
  const key = ({ rule, where }: Finding) => `${rule} ${where}`;
  const told = new Set((first ?? []).map(key));
  const more = others.flatMap((findings, n) => {
    const role = scenes[n + 1]?.role ?? '';
    const fresh = findings.filter((finding) => !told.has(key(finding)));
    for (const finding of fresh) told.add(key(finding));
    return fresh.map((finding) => ({
      ...finding,
      message: `As role ${role}: ${finding.message}`,
      facts: { ...finding.facts, role },
    }));
  });
  return [...(first ?? []), ...more];
}

async function probeAs(scene: Scene, seed: SeedTenant): Promise<Probed> {
  const lanes = pLimit(TABLES_AT_ONCE);
  const targets = targetsOf(scene);
  const judged = await Promise.all(targets.map((table) => lanes(() => probeOne(scene, table, seed))));
  const crossed = targets.filter(
    (_, n) => judged[n]?.findings.some(({ rule }) => CROSSINGS.has(rule)) === true,
  );
  const observed = targets.filter((table) => isLeftOpen(scene, table));
  const open = new Set([...crossed, ...observed].map(({ qualified }) => qualified));
  const objects = [...(await probeViews(scene, open)), await probeFunctions(scene)];
  const covered = judged.map(({ coverage }) => ({ ...NOTHING, ...coverage, tables: 1 }));
  return {
    findings: [...judged, ...objects].flatMap(({ findings }) => findings),
    coverage: {
      ...together([...covered, ...objects.map(({ coverage }) => coverage)]),
      roles: 1,
      commands: COMMANDS.length,
      contexts: CONTEXTS.length,
    },
  };
}

function targetsOf({ tables, owned }: Scene): Relation[] {
  return [...tables.values()].filter(({ qualified }) => owned.tables.has(qualified));
}

const NOTHING = { tables: 0, commands: 0, roles: 0, contexts: 0 };

/** The same pool, as each of the roles. */
function scenesOf(
  fleet: Fleet,
  pool: ProbedPool,
): Promise<{ scenes: Scene[] } & Pick<ProbingRoles, 'left' | 'lacking'>> {
  const { tenancy } = fleet.settings;
  return fleet.connections(pool.cluster).use(pool.database, async (session) => {
    const reach = await readReach(session);
    const conditions = await readConditions(session, tenancy, pool.schema);
    const tablesFor = (role: string) => readTables(session, pool.schema, tenancy.column, role, reach);
    const tables = await tablesFor(tenancy.appRole);
    const byName = tables.some(({ oid }) => reach.roleAskedBy(oid) !== null);
    const { roles, left, lacking } = await readProbingRoles(session, tenancy, byName);
    const scenes: Scene[] = [];
    for (const role of roles) {
      const seen = role === tenancy.appRole ? tables : await tablesFor(role);
      const owned = ownedTables(seen, pool.schema, tenancy.column);
      const byTable = new Map(seen.map((table) => [table.qualified, table]));
      scenes.push({
        fleet,
        ...pool,
        version: session.version,
        role,
        reach,
        conditions,
        tables: byTable,
        owned,
      });
    }
    return { scenes, left, lacking };
  });
}

/** Tables with the tenant column, and those whose rows must refer to one of them. */
function ownedTables(tables: readonly Relation[], schema: string, column: string): Owned {
  const inside = tables.filter((table) => table.schema === schema);
  const owned = new Set(inside.filter(({ tenanted }) => tenanted).map(({ qualified }) => qualified));
  for (let before = -1; before !== owned.size;) {
    before = owned.size;
    for (const { qualified, references } of inside)
      if (references.some(({ required, parent }) => required && owned.has(parent))) owned.add(qualified);
  }
  const registers = new Map<string, string>();
  for (const { references } of inside)
    for (const { parent, columns, referenced } of references)
      if (columns.length === 1 && columns[0] === column && !owned.has(parent))
        registers.set(parent, referenced[0] as string);
  return { tables: owned, registers };
}

async function probeOne(scene: Scene, table: Relation, seed: SeedTenant): Promise<Judged> {
  const probes = TRIED.length * CONTEXTS.length;
  // Nobody may do anything with it: there is nothing to be tried.
  if (!mayAnything(table)) return { findings: [], coverage: { probes, probed: probes, notProbed: [] } };
  if (isLeftOpen(scene, table))
    return { findings: [], coverage: { probes, probed: 0, notProbed: [leftOpen(scene, table)] } };
  if (table.reachesOut !== null)
    return untried(scene, table, reachesOutFinding(placeOf(scene, table.qualified), table.reachesOut));
  return tryInTurn(scene, table, seed);
}

function mayAnything({ may }: Relation): boolean {
  return may.select || may.insert || may.update || may.delete;
}

/**
 * Rows are made by the administrator; where triggers want a tenant, by the application in a seeded home. Where none can be
 * made, those of two tenants that live here are looked for, and nothing is written.
 */
async function tryInTurn(scene: Scene, table: Relation, seed: SeedTenant): Promise<Judged> {
  try {
    return judgeTable(scene, await asOwner(scene, table));
  } catch (error) {
    if (isOvertime(error)) return untried(scene, table, overtimeFinding(placeOf(scene, table.qualified)));
    if (!passes(error)) throw error;
    try {
      return judgeTable(scene, await asApplication(scene, table, seed));
    } catch (second) {
      if (isOvertime(second)) return untried(scene, table, overtimeFinding(placeOf(scene, table.qualified)));
      if (!passes(second)) throw second;
      const why = new Set([error.message, second.message]);
      return readRealRows(scene, table, `no row could be made: ${[...why].join('; as the application: ')}`);
    }
  }
}

/** Everybody reaches every row of such a table: nothing is told by trying, and nothing is written there. */
function isLeftOpen({ fleet, ...pool }: Scene, { name, rowSecurity }: Relation): boolean {
  return !rowSecurity && modeOf(rulesOfPool(fleet.settings, pool), name) === 'observe';
}

function leftOpen(scene: Scene, { qualified }: Relation) {
  return {
    where: placeOf(scene, qualified),
    reason: 'its pool only observes it: every tenant reaches the rows of all others',
  };
}

function passes(error: unknown): error is Error {
  return error instanceof NoRow || isDatabaseError(error);
}

function asOwner(scene: Scene, table: Relation): Promise<Tried> {
  return inFreshSession(scene, async (session) =>
    tryTable(session, scene, table, ownerWrites(scene), () => Promise.resolve()),
  );
}

function asApplication(scene: Scene, table: Relation, seed: SeedTenant): Promise<Tried> {
  const writer = applicationWrites(scene);
  return inFreshSession(scene, (session) =>
    tryTable(session, scene, table, writer, async (tenant) => {
      await send(session, 'savepoint seeded', writer.become(tenant));
      await seed(session, tenant).catch(async (error: unknown) => {
        if (!session.usable) throw error;
        await session.message('rollback to savepoint seeded');
      });
      await send(session, owner(scene));
    }),
  );
}
