import { EXIT, isTenantctlError, usageError } from '../../core/errors.js';
import { indexBy } from '../../core/group-by.js';
import type { TenancySettings } from '../../core/settings.js';
import type { Fleet } from '../../engine/context.js';
import { faultOf } from '../fault.js';
import { stopIfAsked } from '../stopping.js';
import { type ClusterContents, lookAtCluster } from './discover/cluster.js';
import type { DiscoveryProblem, Found } from './discover/found.js';
import { assignIds } from './discover/ids.js';
import { knownTenants } from './discover/known.js';
import type { Patterns } from './discover/look.js';
import { isPattern, patternOf } from './discover/pattern.js';
import { homeOf } from './list/home.js';
import { USUAL_SCHEMA } from './list/place.js';
import type { AdoptRequest } from './request.js';

export interface DiscoverOptions {
  /**
   * Patterns of LIKE for names of schemas, and of databases; null to leave those out. With both, schemas are looked for in
   * the databases that fit.
   */
  schemas: string | null;
  databases: string | null;
  /** A query of the user's that lists tenants, with columns of the list; null for none. */
  sql: string | null;
}

/** What was found, and what could not be looked at. */
export interface Discovery {
  units: AdoptRequest[];
  problems: DiscoveryProblem[];
}

/**
 * What is there and not under management yet, as rows of the list that `adopt` takes in: tenants of pools, schemas and
 * databases that fit the patterns, and what the query lists. Where neither is given, names count that are like those this tool
 * would give (`tenancy.names`). Changes nothing.
 * @throws usage error `DISCOVER_PATTERN` or `DISCOVER_SQL` (exit 2) · connection error (exit 4) when no cluster answers
 */
export async function discover(fleet: Fleet, options: DiscoverOptions): Promise<Discovery> {
  const { sql } = options;
  const patterns = patternsOf(options, fleet.settings.tenancy.names);
  const known = await knownTenants(fleet);
  const clusters = await lookAtAll(fleet, patterns, sql);
  const found = clusters.flatMap((cluster) => cluster.found);
  if (sql !== null && clusters.every(({ queried }) => queried === null)) throw unanswered();
  const listed = merged(
    found,
    clusters.flatMap(({ queried }) => queried ?? []),
  );
  const news = listed.filter((one) => !known.homes.has(homeOf(one)));
  const ids = assignIds(news, known.ids);
  return {
    units: news.map(({ name: _name, ...one }, at) => ({ id: ids[at] ?? '', ...one })),
    problems: clusters.flatMap(({ problems }) => problems),
  };
}

function patternsOf({ schemas, databases, sql }: DiscoverOptions, names: TenancySettings['names']): Patterns {
  if (schemas === null && databases === null && sql === null)
    return { schemas: patternOf(names.schema), databases: patternOf(names.database), nested: false };
  checkPattern(schemas);
  checkPattern(databases);
  return { schemas, databases, nested: schemas !== null && databases !== null };
}

function checkPattern(pattern: string | null): void {
  if (pattern === null || isPattern(pattern)) return;
  throw usageError('DISCOVER_PATTERN', `${JSON.stringify(pattern)} is not a pattern of LIKE.`, {
    hint: "% stands for any text, _ for one character, and \\ takes either literally: 'tenant\\_%'.",
    facts: { pattern },
  });
}

/** One cluster beside the other; where one does not answer, the others still do. */
async function lookAtAll(fleet: Fleet, patterns: Patterns, query: string | null): Promise<ClusterContents[]> {
  const names = Object.keys(fleet.settings.clusters);
  const looks = await Promise.allSettled(names.map((name) => lookAtCluster(fleet, name, patterns, query)));
  stopIfAsked(fleet);
  const refusals = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason as unknown] : []));
  const fatal = refusals.find((error) => !isTenantctlError(error) || error.exit !== EXIT.connection);
  if (fatal !== undefined) throw fatal;
  if (refusals.length === looks.length) throw refusals[0];
  return looks.map((look, at) => {
    if (look.status === 'fulfilled') return look.value;
    const problem = { cluster: names[at] ?? '', database: null, message: faultOf(look.reason).message };
    return { found: [], queried: null, problems: [problem] };
  });
}

/** Who was found twice stands once: what the query says goes before what the names say. */
function merged(found: readonly Found[], queried: readonly Found[]): Found[] {
  const byHome = indexBy(found, homeOf);
  for (const one of queried) byHome.set(homeOf(one), completed(one, byHome.get(homeOf(one))));
  return [...byHome.values()];
}

/** A query knows the database of a tenant, and rarely the schema in it. */
function completed(one: Found, seen: Found | undefined): Found {
  if (seen === undefined || one.schema !== USUAL_SCHEMA) return one;
  return { ...one, schema: seen.schema, ledger: one.ledger ?? seen.ledger };
}

function unanswered() {
  return usageError('DISCOVER_SQL', '--sql: no database that was asked has its table.', {
    hint: "It is asked in the databases of pools, in each cluster's database for schemas and in the one of its URL; a name without a schema is looked for in the pool's schema and in public.",
    facts: { option: '--sql' },
  });
}
