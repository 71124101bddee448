import { beforeAll, expect, test } from 'vitest';
import type { Tier } from '../../src/core/tier.js';
import type { Migration } from '../../src/engine/ledger/migration.js';
import type { Home } from '../../src/engine/local/placements.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import { homeFor, migrationsOf, opened } from '../engine/tiers/support.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';
import { catalogOf, halfMadeDatabases } from './support.js';

const server = useServer();
let migrations: Migration[];

beforeAll(async () => {
  migrations = await migrationsOf(
    'create table note (tenant_id uuid not null, id int not null, primary key (tenant_id, id))',
  );
});

/** Who was there first: the fleet's own administrator, by hand, or somebody else. */
type Squatter = 'admin' | 'superuser';
interface Case {
  tier: Tier;
  what: string;
  by: Squatter;
  /** Statements, in the database where the home would be or (for databases) in the cluster's own. */
  squat: (home: Home) => string[];
}

const role = (home: Home) => [
  `create role "${home.placement.role}" login connection limit 3`,
  `comment on role "${home.placement.role}" is 'not yours'`,
];
const schema = (home: Home) => [
  `create schema "${home.placement.schema}"`,
  `create table "${home.placement.schema}".note (id int)`,
  `insert into "${home.placement.schema}".note values (1)`,
];
const rows = (home: Home) => [
  `set tenantctl.scope = 'fleet'`,
  `insert into app.note values ('${home.tenant.key}', 1)`,
];
const placement = (home: Home) => [
  `insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, epoch)
   values ('${home.tenant.id}', '${home.tenant.key}', 'adopted', 'schema', 'theirs', 'theirs', 'active', 1)`,
];
const database = (home: Home) => [`create database "${home.placement.database}"`];
const closedDatabase = (home: Home) => [
  ...database(home),
  `revoke connect on database "${home.placement.database}" from public`,
];

const CASES: Case[] = [
  { tier: 'pool', what: 'rows with its key', by: 'admin', squat: rows },
  { tier: 'pool', what: 'rows with its key', by: 'superuser', squat: rows },
  { tier: 'pool', what: 'a placement in another unit', by: 'admin', squat: placement },
  { tier: 'schema', what: 'a schema', by: 'admin', squat: schema },
  { tier: 'schema', what: 'a schema', by: 'superuser', squat: schema },
  { tier: 'schema', what: 'a role', by: 'admin', squat: role },
  { tier: 'schema', what: 'a role', by: 'superuser', squat: role },
  { tier: 'schema', what: 'a placement in another unit', by: 'admin', squat: placement },
  { tier: 'database', what: 'a database', by: 'admin', squat: database },
  { tier: 'database', what: 'a database', by: 'superuser', squat: database },
  { tier: 'database', what: 'a closed database', by: 'superuser', squat: closedDatabase },
  { tier: 'database', what: 'a role', by: 'admin', squat: role },
];

test.each(CASES)(
  '$what made by the $by stays as it is where a home in tier $tier should be',
  async (given) => {
    const { fleet, settings } = await newFleet(server.current);
    const driver = driverOf(given.tier);
    const wanted = homeFor(settings, given.tier, 'wanted');
    // The pool, the database of the schemas and the template are there already, with somebody in them.
    const neighbour = await opened(fleet, homeFor(settings, given.tier, 'neighbour'), migrations);
    const shared = given.tier === 'database' ? 'postgres' : wanted.placement.database;
    const url = given.by === 'admin' ? server.current.adminUrl(shared) : server.current.superuserUrl(shared);
    for (const statement of [given.squat(wanted).join('; ')].flatMap(alone)) await query(url, statement);
    const before = await scene(wanted);

    await expect(driver.create(fleet, wanted, migrations)).rejects.toMatchObject({
      code: 'PLACE_TAKEN',
      exit: 5,
    });
    expect(await scene(wanted)).toEqual(before);

    // A role alone is not a home: there is nothing to drop, and it is nobody's to take away.
    if (given.what === 'a role') await driver.drop(fleet, wanted);
    else await expect(driver.drop(fleet, wanted)).rejects.toMatchObject({ code: 'PLACE_TAKEN' });
    expect(await scene(wanted)).toEqual(before);
    expect(await driver.inspect(fleet, neighbour)).toMatchObject({ state: 'present', admission: 'active' });

    async function scene(of: Home): Promise<unknown> {
      const there = await query(
        server.current.superuserUrl('postgres'),
        'select from pg_database where datname = $1',
        [of.placement.database],
      );
      const local = given.tier === 'database' ? neighbour : of;
      const inside = await query(
        server.current.superuserUrl(local.placement.database),
        `select (select jsonb_agg(to_jsonb(p)) from tenantctl.placement p where tenant = $1) as placed,
         (select jsonb_agg(to_jsonb(n)) from "${neighbour.placement.schema}".note n) as rows`,
        [of.tenant.id],
      );
      const seen = there.length === 0 ? { ...of, placement: { ...of.placement, database: 'postgres' } } : of;
      return {
        catalog: await catalogOf(server.current, seen),
        inside,
        halfMade: await halfMadeDatabases(server.current),
      };
    }
  },
);

test('a home made for a tenant with another key is not handed to this one', async () => {
  const { fleet, settings } = await newFleet(server.current);
  for (const tier of ['pool', 'schema', 'database'] as const) {
    const first = await opened(fleet, homeFor(settings, tier, `same_${tier}`), migrations);
    const second = homeFor(settings, tier, `same_${tier}`);
    await expect(driverOf(tier).create(fleet, second, migrations)).rejects.toMatchObject({
      code: 'PLACE_HELD',
      exit: 5,
      facts: { key: first.tenant.key },
    });
    expect(await driverOf(tier).inspect(fleet, first)).toMatchObject({ key: first.tenant.key });
  }
});

/** CREATE DATABASE wants to be alone in its message. */
function alone(text: string): string[] {
  return text.includes('create database') ? text.split('; ') : [text];
}
