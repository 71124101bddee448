import type { Finding } from '../../core/finding.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, literal } from '../../pg/sql.js';
import type { Attempt } from './attempt.js';
import { type Crossings, crossedByChange, fill, makerFor, tryAs } from './changes.js';
import { type Coverage, objectCoverage } from './coverage.js';
import { asksLoginFinding, reachesOutFinding } from './not-inspected.js';
import type { Context } from './table-run.js';
import { materializedViewShowsRows } from './probes/materialized-view-shows-rows.js';
import { verdictOf } from './probes/verdict.js';
import { viewReachesForeignRows } from './probes/view-reaches-foreign-rows.js';
import {
  type Pair,
  type Scene,
  beginReading,
  beginWith,
  inFreshSession,
  newPair,
  placeOf,
  send,
} from './scene.js';
import { literals } from './specimen/candidates.js';
import { NoRow } from './specimen/make-rows.js';
import { type View, readViews } from './specimen/other-objects.js';

interface Looked {
  findings: Finding[];
  coverage: Coverage;
}

/**
 * Looks through every view over tables of a pool that the application may read.
 * @param open tables that are crossed themselves: a view over one of them says nothing new
 */
export async function probeViews(scene: Scene, open: ReadonlySet<string>): Promise<Looked[]> {
  const { column } = scene.fleet.settings.tenancy;
  const views = await scene.fleet
    .connections(scene.cluster)
    .use(scene.database, (session) => readViews(session, column, scene.role, scene.reach));
  const looked: Looked[] = [];
  for (const view of views) {
    if (!view.tables.some((name) => scene.owned.tables.has(name))) continue;
    const one = await lookThrough(scene, view);
    const told = view.kind === 'v' && view.tables.some((name) => open.has(name));
    looked.push(told ? { ...one, findings: [] } : one);
  }
  return looked;
}

function lookThrough(scene: Scene, view: View): Promise<Looked> {
  const where = placeOf(scene, view.qualified);
  if (view.reachesOut !== null) return Promise.resolve(gap(reachesOutFinding(where, view.reachesOut)));
  if (view.asksLogin !== null) return Promise.resolve(gap(asksLoginFinding(where, view.asksLogin)));
  return view.stored ? probeStored(scene, view) : probeView(scene, view);
}

function gap(finding: Finding): Looked {
  const reason = String(finding.facts['reason']);
  return { findings: [finding], coverage: objectCoverage(1, 0, [{ where: finding.where, reason }]) };
}

function notLooked(scene: Scene, { qualified }: View, reason: string): Looked {
  return { findings: [], coverage: objectCoverage(1, 0, [{ where: placeOf(scene, qualified), reason }]) };
}

/** What it shows without any tenant is what it shows to everybody. */
async function probeStored(scene: Scene, view: View): Promise<Looked> {
  const seen = await anyRow(scene, view);
  if (typeof seen === 'string') return notLooked(scene, view, seen);
  const role = ident(scene.role).text();
  const finding: Finding = {
    rule: materializedViewShowsRows.name,
    level: materializedViewShowsRows.level,
    where: placeOf(scene, view.qualified),
    message: `${view.kind === 'm' ? 'Materialized view' : 'Through a materialized view, view'} ${view.name} shows the application rows with no context: they come from all tenants.`,
    hint: materializedViewShowsRows.remedy,
    facts: {
      commands: ['SELECT'],
      contexts: ['no context'],
      tables: view.tables,
      sql: [`revoke all on ${view.qualified} from ${role}, public`],
    },
  };
  return { findings: seen ? [finding] : [], coverage: objectCoverage(1, 1) };
}

/** Does it show a row with no context? A sentence when it could not be asked, as while it is refreshed. */
async function anyRow(scene: Scene, view: View): Promise<boolean | string> {
  try {
    const [outcome] = await inFreshSession(scene, async (session) => {
      await send(session, beginReading(scene));
      return tryAs(session, scene, null, [visible('any row', view, 'true')]);
    });
    const { rows = null, message = '' } = outcome ?? {};
    return rows === null ? `it fails: ${message}` : rows > 0;
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return error.message;
  }
}

/** Both tenants get rows in every table of the view; then it is asked for those of the other one. */
async function probeView(scene: Scene, view: View): Promise<Looked> {
  const first = await seenThrough(scene, view, []);
  // Its conditions may want other values than those that come first.
  const seen = typeof first === 'string' ? await seenThrough(scene, view, literals(view.definition)) : first;
  if (typeof seen !== 'string')
    return {
      findings: seen.length === 0 ? [] : [findingOf(scene, view, seen)],
      coverage: objectCoverage(1, 1),
    };
  return notLooked(scene, view, typeof first === 'string' ? first : seen);
}

async function seenThrough(scene: Scene, view: View, wanted: readonly string[]): Promise<Crossings> {
  try {
    return await inFreshSession(scene, async (session) => {
      if (view.tenanted) return crossedByTenant(session, scene, view, wanted);
      const [crossed] = await crossedByChange(session, scene, [view.qualified], view.tables, wanted);
      return crossed ?? 'it was not asked';
    });
  } catch (error) {
    if (!(error instanceof NoRow) && !isDatabaseError(error)) throw error;
    return `no row could be made for it: ${error.message}`;
  }
}

async function crossedByTenant(
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
  const foreign = of(pair.foreign.key);
  const attempts = [
    visible('by tenant', view, foreign),
    ...(view.mayWrite ? writes(view, tenant, foreign) : []),
  ];
  const crossed: Exclude<Crossings, string> = [];
  for (const [context, key] of contextsOf(pair)) {
    const outcomes = await tryAs(session, scene, key, attempts);
    const through = outcomes.filter((outcome) => verdictOf(outcome) === 'crossed');
    crossed.push(...through.map(({ attempt: { command } }) => ({ command, context })));
  }
  const [control] = await tryAs(session, scene, pair.own.key, [visible('own', view, of(pair.own.key))]);
  if (crossed.length > 0 || control?.rows === 1) return crossed;
  return `it does not show the probing tenant's own rows${control?.rows === 0 ? '' : `: ${control?.message}`}`;
}

function visible(how: string, { qualified }: View, condition: string): Attempt {
  const statement = `select count(*) from (select from ${qualified} where ${condition} limit 1) x`;
  return { command: 'SELECT', how, counts: true, statement };
}

function writes({ qualified }: View, tenant: string, foreign: string): Attempt[] {
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

function findingOf(scene: Scene, view: View, crossed: Exclude<Crossings, string>): Finding {
  const role = ident(scene.role).text();
  const contexts = [...new Set(crossed.map(({ context }) => context))];
  const commands = [...new Set(crossed.map(({ command }) => command))];
  const mend = view.invoker
    ? `revoke all on ${view.qualified} from ${role}, public`
    : `alter view ${view.qualified} set (security_invoker = true)`;
  return {
    rule: viewReachesForeignRows.name,
    level: viewReachesForeignRows.level,
    where: placeOf(scene, view.qualified),
    message: `View ${view.name} reaches rows of other tenants: ${commands.join(', ')}; in ${contexts.join(', ')}.`,
    hint: viewReachesForeignRows.remedy,
    facts: { commands, contexts, tables: view.tables, sql: [mend] },
  };
}
