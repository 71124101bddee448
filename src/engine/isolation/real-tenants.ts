import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident, literal, sql } from '../../pg/sql.js';
import { policyAdvice } from './advice.js';
import { type Attempt, type Outcome, attemptScript, outcomesOf } from './attempt.js';
import { type Judged, TRIED } from './judge-table.js';
import { CONTEXTS, type Context } from './table-run.js';
import { foreignRowsRead } from './probes/foreign-rows-read.js';
import { partitionReached } from './probes/partition-reached.js';
import { verdictOf } from './probes/verdict.js';
import {
  type Scene,
  application,
  beginReading,
  inFreshSession,
  owner,
  placeOf,
  realTenants,
  send,
} from './scene.js';
import type { Relation } from './specimen/relation.js';

/**
 * Looks in the context of one tenant that lives here for a row of another one, where rows of our own cannot be made. It
 * only reads, and at most one row a look.
 * @param reason why no row could be made
 */
export async function readRealRows(scene: Scene, table: Relation, reason: string): Promise<Judged> {
  const where = placeOf(scene, table.qualified);
  const probes = TRIED.length * CONTEXTS.length;
  const none = (why: string): Judged => ({
    findings: [],
    coverage: {
      probes,
      probed: 0,
      notProbed: [{ where, reason: reason.includes(why) ? reason : `${reason}; ${why}` }],
    },
  });
  if (!table.tenanted)
    return none('it has no tenant column by which rows of tenants that live here are told apart');
  try {
    const seen = await inFreshSession(scene, (session) => lookAround(session, scene, table));
    if (seen === null) return none('and no two tenants that live here have rows in it');
    return judge(
      scene,
      table,
      seen,
      `${reason}; only reading was tried, with rows of tenants that live here`,
    );
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return none(error.message);
  }
}

type Seen = { context: Context; outcome: Outcome }[];

async function lookAround(session: Connection, scene: Scene, table: Relation): Promise<Seen | null> {
  const { column } = scene.fleet.settings.tenancy;
  const any: Attempt = {
    command: 'SELECT',
    how: 'any row',
    counts: true,
    statement: `select count(*) from (select from ${table.qualified} limit 1) x`,
  };
  await send(session, beginReading(scene));
  const seen: Seen = [{ context: 'no context', outcome: await one(session, scene, null, any) }];
  const keys = await holders(session, scene, table);
  const [own, foreign] = keys;
  if (own === undefined || foreign === undefined) return null;
  const of = (key: string): Attempt => ({
    command: 'SELECT',
    how: 'by tenant',
    counts: true,
    statement: `select count(*) from (select from ${table.qualified} where ${ident(column).text()}::text = ${literal(key)} limit 1) x`,
  });
  if ((await one(session, scene, own, of(own))).rows !== 1) return null;
  seen.push({ context: CONTEXTS[0], outcome: await one(session, scene, own, of(foreign)) });
  seen.push({ context: 'an empty context', outcome: await one(session, scene, '', any) });
  await session.rollback();
  await send(session, beginReading(scene));
  seen.push({ context: CONTEXTS[3], outcome: await one(session, scene, null, any) });
  await session.rollback();
  const { setting } = scene.fleet.settings.tenancy;
  await send(session, sql`select set_config(${setting}, ${foreign}, false)`.text(), beginReading(scene));
  seen.push({ context: CONTEXTS[4], outcome: await one(session, scene, own, of(foreign)) });
  return seen;
}

async function one(
  session: Connection,
  scene: Scene,
  key: string | null,
  attempt: Attempt,
): Promise<Outcome> {
  const results = await session.message(`${application(scene, key)}; ${attemptScript([attempt])}`);
  return outcomesOf(results, 0, [attempt])[0] as Outcome;
}

/** Two tenants with rows, as the administrator sees them. */
async function holders(session: Connection, scene: Scene, table: Relation): Promise<string[]> {
  await send(session, owner(scene));
  const keys = await realTenants(session, scene);
  const { column } = scene.fleet.settings.tenancy;
  const type = table.columns.find(({ name }) => name === column)?.type ?? 'text';
  const list = `array[${keys.map(literal).join(', ')}]::text[]`;
  const results = await session.message(
    `select k from unnest(${list}) k where exists (select from ${table.qualified} where ${ident(column).text()} = k::${type}) limit 2`,
  );
  return (results.at(-1)?.rows ?? []).map(({ k }) => String(k));
}

function judge(scene: Scene, table: Relation, seen: Seen, reason: string): Judged {
  const crossed = seen.filter(({ outcome }) => verdictOf(outcome) === 'crossed');
  const contexts = crossed.map(({ context }) => context);
  const rule = table.parent === null ? foreignRowsRead : partitionReached;
  const where = placeOf(scene, table.qualified);
  const { hint, facts } = policyAdvice(scene, table, rule);
  const finding = {
    rule: rule.name,
    level: rule.level,
    where,
    message: `The application reaches rows of other tenants: SELECT; in ${contexts.join(', ')}.`,
    hint,
    facts: { ...facts, table: table.name, commands: ['SELECT'], contexts },
  };
  const probed = seen.filter(({ outcome }) => verdictOf(outcome) !== 'unknown').length;
  return {
    findings: crossed.length === 0 ? [] : [finding],
    coverage: { probes: TRIED.length * CONTEXTS.length, probed, notProbed: [{ where, reason }] },
  };
}
