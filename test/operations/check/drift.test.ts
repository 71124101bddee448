import { expect, test } from 'vitest';
import type { Finding } from '../../../src/core/finding.js';
import type { Tier } from '../../../src/core/tier.js';
import type { Fleet } from '../../../src/engine/context.js';
import { DRIFT_RULES, STATE_RULES } from '../../../src/operations/check/drift-rules/registry.js';
import { checkDrift } from '../../../src/operations/check/drift.js';
import { provisionMany } from '../../../src/operations/provision-many.js';
import { showTenant } from '../../../src/operations/show.js';
import { ident } from '../../../src/pg/sql.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';
import { type DriftFault, driftFaults } from './drift-faults.js';

const server = useServer();

/** In which tier a fault is put, by what its header says. */
const TIERS: Record<string, Tier> = {
  'the pool': 'pool',
  'one database tenant': 'database',
  'a database tenant, from outside': 'database',
};
const tierOf = ({ where }: DriftFault): Tier => TIERS[where] ?? 'schema';
const unitOf = (fault: DriftFault, pool: string): string =>
  fault.where === 'the pool' ? `pool:${pool}` : `${tierOf(fault)}:${fault.name}`;

async function make(fleet: Fleet, wanted: readonly (readonly [id: string, tier: Tier])[]): Promise<void> {
  async function* rows() {
    for (const [index, [id, tier]] of wanted.entries())
      yield { line: index + 1, request: { id, tier, cluster: 'main' } };
  }
  const made = await provisionMany(fleet, rows(), { dryRun: false, concurrency: 3 });
  expect(made.failed).toEqual([]);
}

async function put(fleet: Fleet, catalogUrl: string, fault: DriftFault): Promise<void> {
  const { tenant } = await showTenant(fleet, fault.name);
  const text = fault.sql
    .replaceAll('{tenant}', fault.name)
    .replaceAll('{database}', ident(tenant.database).text());
  const named = text.replaceAll(
    `${ident(tenant.database).text()}_away`,
    ident(`${tenant.database}_away`).text(),
  );
  if (fault.where === 'the catalog') return void (await query(catalogUrl, named));
  if (fault.where.endsWith('from outside')) {
    await fleet.connections('main').leave(tenant.database);
    return void (await query(server.current.superuserUrl('postgres'), named));
  }
  const url = fault.superuser
    ? server.current.superuserUrl(tenant.database)
    : server.current.adminUrl(tenant.database);
  await withClient(url, (client) =>
    client.query(`set search_path = ${ident(tenant.schema).text()}, extensions; ${named}`),
  );
}

/** The names of rules that speak of each unit. */
function rulesByUnit(findings: readonly Finding[]): Record<string, string[]> {
  const rules: Record<string, string[]> = {};
  for (const { rule, facts } of findings)
    for (const unit of facts['units'] as string[]) (rules[unit] ??= []).push(rule);
  return Object.fromEntries(Object.entries(rules).map(([unit, names]) => [unit, names.sort()]));
}

test('every fault of the fixtures is found by name, and nothing else; the statements of the findings mend them', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const faults = driftFaults(Number.parseInt(server.current.version, 10));
  const [pool] = Object.keys(settings.clusters['main']?.pools ?? {});
  await make(fleet, [
    ...(['one', 'two', 'three'] as const).map((id) => [`pooled-${id}`, 'pool'] as const),
    ...['a', 'b', 'c', 'd'].map((id) => [`healthy-${id}`, 'schema'] as const),
    ...['e', 'f'].map((id) => [`healthy-${id}`, 'database'] as const),
    ...faults.map((fault) => [fault.name, tierOf(fault)] as const),
  ]);
  expect((await checkDrift(fleet)).findings).toEqual([]);

  const databases = await databasesOf(fleet, faults);
  for (const fault of faults) await put(fleet, settings.catalogUrl, fault);
  const { findings, shapes } = await checkDrift(fleet);
  expect(rulesByUnit(findings)).toEqual(
    Object.fromEntries(faults.map((fault) => [unitOf(fault, String(pool)), fault.rules])),
  );
  for (const fault of faults) {
    const about = findings.filter(({ facts }) =>
      (facts['units'] as string[]).includes(unitOf(fault, String(pool))),
    );
    const words = about.flatMap(({ message, facts }) => [
      message,
      ...((facts['differences'] as string[] | undefined) ?? []),
    ]);
    expect(words.join('\n'), fault.name).toContain(fault.says);
  }
  expect(shapes.filter(({ majority, units }) => majority && units > 5)).toHaveLength(1);

  await mend(findings, databases);
  const left = rulesByUnit((await checkDrift(fleet)).findings);
  for (const fault of faults.filter(({ mended }) => mended === 'yes'))
    expect(left[unitOf(fault, String(pool))], fault.name).toBeUndefined();
  await mend((await checkDrift(fleet)).findings, databases);
  const after = rulesByUnit((await checkDrift(fleet)).findings);
  expect(Object.keys(after).sort()).toEqual(
    faults
      .filter(({ mended }) => ['no', 'by hand', 'by migrate'].includes(mended))
      .map((fault) => unitOf(fault, String(pool)))
      .sort(),
  );
}, 240_000);

test('each rule about shapes and ledgers is found in its bad example, and in its good one nothing is', async () => {
  const { fleet } = await newFleet(server.current);
  const states = new Set(STATE_RULES.map(({ rule }) => rule.name));
  const rules = DRIFT_RULES.filter(({ name }) => !states.has(name));
  const tierFor = (name: string): Tier => (name === 'shape-unlike-files' ? 'pool' : 'schema');
  await make(fleet, [
    ...['a', 'b', 'c'].map((id) => [`healthy-${id}`, 'schema'] as const),
    ...rules.map(({ name }) => [name, tierFor(name)] as const),
  ]);
  const run = async (which: 'good' | 'bad'): Promise<void> => {
    for (const rule of rules) {
      const { tenant } = await showTenant(fleet, rule.name);
      const text = `set search_path = ${ident(tenant.schema).text()}, extensions; ${rule[which]}`;
      await query(server.current.superuserUrl(tenant.database), text);
    }
  };
  await run('good');
  expect((await checkDrift(fleet)).findings).toEqual([]);
  await run('bad');
  const found = rulesByUnit((await checkDrift(fleet)).findings);
  for (const { name } of rules) {
    const unit = Object.keys(found).find(
      (id) => id.endsWith(`:${name}`) || (tierFor(name) === 'pool' && id.startsWith('pool:')),
    );
    expect(found[String(unit)], name).toContain(name);
  }
}, 120_000);

/** The databases of units, by their ids. */
async function databasesOf(fleet: Fleet, faults: readonly DriftFault[]): Promise<Map<string, string>> {
  const databases = new Map<string, string>();
  for (const fault of faults) {
    const { tenant } = await showTenant(fleet, fault.name);
    databases.set(`${tierOf(fault)}:${fault.name}`, tenant.database);
    if (tenant.pool !== null) databases.set(`pool:${tenant.pool}`, tenant.database);
  }
  return databases;
}

/** Runs what the findings say, one statement after the other, as a person would who may do everything. */
async function mend(findings: readonly Finding[], databases: ReadonlyMap<string, string>): Promise<void> {
  for (const { facts, rule } of findings) {
    const database = databases.get(String((facts['units'] as string[])[0]));
    if (facts.sql === undefined || database === undefined) continue;
    const owner =
      rule === 'disabled-foreign-key'
        ? server.current.superuserUrl(database)
        : server.current.adminUrl(database);
    await withClient(owner, async (client) => {
      for (const statement of facts.sql ?? [])
        await client.query(statement).catch((error: unknown) => {
          throw new Error(`${rule}: ${statement}`, { cause: error });
        });
    });
  }
}
