import type { Finding } from '../../core/finding.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, literal } from '../../pg/sql.js';
import { type Attempt, type Outcome, attemptScript, outcomesOf } from './attempt.js';
import { type Coverage, noCoverage } from './coverage.js';
import type { Context } from './probe-table.js';
import { definerFunctionShowsRows } from './probes/definer-function-shows-rows.js';
import { materialisedViewShowsRows } from './probes/materialised-view-shows-rows.js';
import { verdictOf } from './probes/verdict.js';
import { viewReachesForeignRows } from './probes/view-reaches-foreign-rows.js';
import {
  type Pair,
  type Scene,
  application,
  beginWith,
  inFreshSession,
  newPair,
  ownerWrites,
  placeOf,
  send,
} from './scene.js';
import { literals } from './specimen/candidates.js';
import { NoRow, RowMaker } from './specimen/make-rows.js';
import {
  type DefinerFunction,
  type View,
  readDefinerFunctions,
  readViews,
} from './specimen/other-objects.js';

interface Looked {
  findings: Finding[];
  coverage: Coverage;
}

/** Looks at what leads to the rows of a pool beside its tables: views and functions. */
export async function probeObjects(scene: Scene): Promise<Looked[]> {
  const { column, appRole } = scene.fleet.settings.tenancy;
  const { views, functions } = await scene.fleet.managed(scene.cluster, scene.database, async (session) => ({
    views: await readViews(session, column, appRole),
    functions: await readDefinerFunctions(session, appRole),
  }));
  const ours = views.filter(({ tables }) => tables.some((name) => scene.owned.tables.has(name)));
  const looked: Looked[] = [];
  for (const view of ours)
    looked.push(await (view.kind === 'm' ? probeMaterialised : probeView)(scene, view));
  if (functions.length > 0) looked.push(await probeFunctions(scene, functions));
  return looked;
}

/** What it shows without any tenant is what it shows to everybody. */
async function probeMaterialised(scene: Scene, view: View): Promise<Looked> {
  const attempt: Attempt = {
    command: 'SELECT',
    how: 'any row',
    counts: true,
    statement: `select count(*) from (select from ${view.qualified} limit 1) x`,
  };
  const [outcome] = await inFreshSession(scene, async (session) => {
    await send(session, 'begin read only');
    return tryAs(session, scene, null, [attempt]);
  });
  if (outcome?.rows !== 1) return { findings: [], coverage: counted(1, 1) };
  const role = ident(scene.fleet.settings.tenancy.appRole).text();
  const finding: Finding = {
    rule: materialisedViewShowsRows.name,
    level: materialisedViewShowsRows.level,
    where: placeOf(scene, view.qualified),
    message: `Materialised view ${view.name} shows the application its rows with no context: they come from all tenants.`,
    hint: materialisedViewShowsRows.remedy,
    facts: {
      commands: ['SELECT'],
      contexts: ['no context'],
      tables: view.tables,
      sql: [`revoke all on ${view.qualified} from ${role}, public`],
    },
  };
  return { findings: [finding], coverage: counted(1, 1) };
}

function counted(probes: number, probed: number, notProbed: Coverage['notProbed'] = []): Coverage {
  return { ...noCoverage(), probes, probed, notProbed };
}

async function tryAs(
  session: Connection,
  scene: Scene,
  key: string | null,
  attempts: readonly Attempt[],
): Promise<Outcome[]> {
  return outcomesOf(
    await session.message(`${application(scene, key)}; ${attemptScript(attempts)}`),
    0,
    attempts,
  );
}

/** Both tenants get rows in every table of the view; then it is asked for those of the other one. */
async function probeView(scene: Scene, view: View): Promise<Looked> {
  const first = await seenThrough(scene, view, []);
  // Its conditions may want other values than those that come first.
  const seen = typeof first === 'string' ? await seenThrough(scene, view, literals(view.definition)) : first;
  if (typeof seen !== 'string')
    return { findings: seen.length === 0 ? [] : [viewFinding(scene, view, seen)], coverage: counted(1, 1) };
  const reason = typeof first === 'string' ? first : seen;
  return { findings: [], coverage: counted(1, 0, [{ where: placeOf(scene, view.qualified), reason }]) };
}

async function seenThrough(scene: Scene, view: View, wanted: readonly string[]): Promise<Crossings> {
  try {
    return await inFreshSession(scene, (session) =>
      (view.tenanted ? byTenant : byChange)(session, scene, view, wanted),
    );
  } catch (error) {
    if (!(error instanceof NoRow) && !isDatabaseError(error)) throw error;
    return `no row could be made for it: ${error.message}`;
  }
}

/** Where and how a view was crossed; a sentence when nothing was proved. */
type Crossings = { command: string; context: Context }[] | string;

async function byTenant(
  session: Connection,
  scene: Scene,
  view: View,
  wanted: readonly string[],
): Promise<Crossings> {
  const pair = newPair(scene);
  await send(session, beginWith(scene, pair));
  const maker = makerFor(session, scene, wanted);
  await fill(maker, scene, view.tables, pair.foreign.key);
  await fill(maker, scene, view.tables, pair.own.key);
  const tenant = ident(scene.fleet.settings.tenancy.column).text();
  const of = (key: string) => `${tenant}::text = ${literal(key)}`;
  const attempts: Attempt[] = [
    {
      command: 'SELECT',
      how: 'by tenant',
      counts: true,
      statement: `select count(*) from (select from ${view.qualified} where ${of(pair.foreign.key)} limit 1) x`,
    },
    ...(view.mayWrite ? viewWrites(view, tenant, of(pair.foreign.key)) : []),
  ];
  const own: Attempt = {
    command: 'SELECT',
    how: 'own',
    counts: true,
    statement: `select count(*) from (select from ${view.qualified} where ${of(pair.own.key)} limit 1) x`,
  };
  const crossed: Exclude<Crossings, string> = [];
  for (const [context, key] of contextsOf(pair)) {
    const outcomes = await tryAs(session, scene, key, attempts);
    for (const outcome of outcomes)
      if (verdictOf(outcome) === 'crossed') crossed.push({ command: outcome.attempt.command, context });
  }
  const [control] = await tryAs(session, scene, pair.own.key, [own]);
  if (crossed.length > 0 || control?.rows === 1) return crossed;
  return `it does not show the probing tenant's own rows${control?.rows === 0 ? '' : `: ${control?.message}`}`;
}

function viewWrites({ qualified }: View, tenant: string, foreign: string): Attempt[] {
  return [
    {
      command: 'UPDATE',
      how: 'by tenant',
      statement: `update ${qualified} set ${tenant} = ${tenant} where ${foreign}`,
    },
    { command: 'DELETE', how: 'by tenant', statement: `delete from ${qualified} where ${foreign}` },
  ];
}

/** In the order in which one session can have them: none at all first. */
function contextsOf({ own }: Pair): [Context, string | null][] {
  return [
    ['no context', null],
    ['the context of another tenant', own.key],
    ['an empty context', ''],
  ];
}

function makerFor(session: Connection, scene: Scene, wanted: readonly string[]): RowMaker {
  return new RowMaker(
    session,
    scene.tables,
    scene.fleet.settings.tenancy.column,
    scene.owned,
    ownerWrites(scene),
    wanted,
  );
}

async function fill(maker: RowMaker, scene: Scene, tables: readonly string[], tenant: string): Promise<void> {
  for (const name of tables) {
    const table = scene.tables.get(name);
    if (table !== undefined && scene.owned.tables.has(name)) await maker.rowFor(table, tenant);
  }
}

/** A sum of what a query shows, whatever the order is. */
function digest(from: string): Attempt {
  const statement = `select coalesce(sum(hashtextextended(x::text, 0)::numeric) % 9000000000000000000, 0)::bigint + count(*) % 1000 from ${from} x`;
  return { command: 'SELECT', how: 'everything', counts: true, statement };
}

/** Without a tenant column only this tells: does what one tenant sees change when only another one gets rows? */
async function byChange(
  session: Connection,
  scene: Scene,
  view: View,
  wanted: readonly string[],
): Promise<Crossings> {
  const [change] = await changes(session, scene, [view.qualified], view.tables, wanted);
  return change === undefined ? 'it was not asked' : verdictOfChange(change);
}

function verdictOfChange(change: Change): Crossings {
  if (change === 'foreign') return [{ command: 'SELECT', context: 'the context of another tenant' }];
  if (change === 'own') return [];
  return change;
}

/** What changed the answer: the other tenant's rows, only the own ones, or why that cannot be told. */
type Change = 'foreign' | 'own' | `${string} `;

async function changes(
  session: Connection,
  scene: Scene,
  sources: readonly string[],
  tables: readonly string[],
  wanted: readonly string[],
): Promise<Change[]> {
  const pair = newPair(scene);
  await send(session, beginWith(scene, pair));
  const maker = makerFor(session, scene, wanted);
  const look = () => tryAs(session, scene, pair.own.key, sources.map(digest));
  const [empty, again] = [await look(), await look()];
  await fillWhatFits(maker, scene, tables, pair.own.key);
  const own = await look();
  await fillWhatFits(maker, scene, tables, pair.foreign.key);
  const both = await look();
  return sources.map((_, n) => changeOf(empty[n], again[n], own[n], both[n]));
}

function changeOf(empty?: Outcome, again?: Outcome, own?: Outcome, both?: Outcome): Change {
  if (own?.rows == null || both?.rows == null) return `it fails: ${own?.message} `;
  if (empty?.message !== again?.message) return 'it shows something else each time ';
  if (own.message !== both.message) return 'foreign';
  return own.message === empty?.message ? "it does not show the probing tenant's own rows " : 'own';
}

/** A function may read any table: those in which no row can be made are left out. */
async function fillWhatFits(
  maker: RowMaker,
  scene: Scene,
  tables: readonly string[],
  tenant: string,
): Promise<void> {
  for (const name of tables)
    await fill(maker, scene, [name], tenant).catch((error: unknown) => {
      if (!(error instanceof NoRow)) throw error;
    });
}

function viewFinding(scene: Scene, view: View, crossed: Exclude<Crossings, string>): Finding {
  const role = ident(scene.fleet.settings.tenancy.appRole).text();
  const contexts = [...new Set(crossed.map(({ context }) => context))];
  const commands = [...new Set(crossed.map(({ command }) => command))];
  return {
    rule: viewReachesForeignRows.name,
    level: viewReachesForeignRows.level,
    where: placeOf(scene, view.qualified),
    message: `View ${view.name} reaches rows of other tenants: ${commands.join(', ')}; in ${contexts.join(', ')}.`,
    hint: viewReachesForeignRows.remedy,
    facts: {
      commands,
      contexts,
      tables: view.tables,
      sql: [
        `alter view ${view.qualified} set (security_invoker = true)`,
        `-- or: revoke all on ${view.qualified} from ${role}, public`,
      ],
    },
  };
}

async function probeFunctions(scene: Scene, functions: readonly DefinerFunction[]): Promise<Looked> {
  const called = functions.filter(({ reason }) => reason === null);
  const notProbed = functions.flatMap(({ name, reason }) =>
    reason === null ? [] : [{ where: placeOf(scene, name), reason }],
  );
  if (called.length === 0) return { findings: [], coverage: counted(functions.length, 0, notProbed) };
  const tables = [...scene.owned.tables];
  const seen = await inFreshSession(scene, (session) =>
    changes(
      session,
      scene,
      called.map(({ call }) => call),
      tables,
      [],
    ),
  );
  const findings = called.filter((_, n) => seen[n] === 'foreign').map((one) => functionFinding(scene, one));
  const silent = called.flatMap(({ name }, n) => {
    const change = seen[n] as Change;
    return change === 'foreign' || change === 'own'
      ? []
      : [{ where: placeOf(scene, name), reason: change.trim() }];
  });
  const gaps = [...notProbed, ...silent];
  return { findings, coverage: counted(functions.length, functions.length - gaps.length, gaps) };
}

function functionFinding(scene: Scene, { name }: DefinerFunction): Finding {
  const role = ident(scene.fleet.settings.tenancy.appRole).text();
  return {
    rule: definerFunctionShowsRows.name,
    level: definerFunctionShowsRows.level,
    where: placeOf(scene, name),
    message: `Function ${name} answers one tenant with what another has: its answer changed when only the other one got rows.`,
    hint: definerFunctionShowsRows.remedy,
    facts: {
      commands: ['SELECT'],
      contexts: ['the context of another tenant'],
      sql: [
        `alter function ${name} security invoker`,
        `revoke execute on function ${name} from ${role}, public`,
      ],
    },
  };
}
