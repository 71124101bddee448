import { expect, it } from 'vitest';
import { MOST_MS } from '../../../src/engine/isolation/overtime.js';
import { useServer, withClient } from '../../support/server.js';
import { type ProbedFleet, fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));
  create table shared_count (name text primary key, n bigint not null); insert into shared_count values ('notes', 0);`;

/** Holds the row of a table that all tenants share, and then takes its time, however short each statement is. */
const counting = (seconds: number) => `${NOTE}
  create function count_up() returns trigger language plpgsql as
    $$ begin update app.shared_count set n = n + 1; perform pg_sleep(${seconds}); return coalesce(new, old); end $$;
  create trigger count_up before insert or update or delete on note for each row execute function count_up();`;

async function slowFleet(seconds: number): Promise<ProbedFleet> {
  const fleet = await fleetWith(server.current, counting(seconds));
  await fleet.change('grant select, update on shared_count to app_user');
  return fleet;
}

/** The longest that a writer of the application's was held by the probes, in milliseconds. */
async function longestHeld(fleet: ProbedFleet, work: Promise<unknown>): Promise<number> {
  let over = false;
  const ended = work.finally(() => (over = true));
  let longest = 0;
  await withClient(server.current.superuserUrl(fleet.database), async (client) => {
    while (!over) {
      const begin = performance.now();
      await client.query('update app.shared_count set n = n');
      longest = Math.max(longest, performance.now() - begin);
    }
  });
  await ended;
  return longest;
}

it.each([
  ['one trigger takes long', 60],
  ['many attempts take a while each', 0.9],
])('no writer is held longer than the bound where %s, and the table is not inspected', async (_, seconds) => {
  const fleet = await slowFleet(seconds);
  const probing = fleet.probe();
  const longest = await longestHeld(fleet, probing);
  const { findings, coverage } = await probing;
  expect(longest).toBeGreaterThan(100);
  expect(longest).toBeLessThan(MOST_MS + 1_500);
  expect(findings).toMatchObject([{ rule: 'not-inspected', level: 'warning' }]);
  expect(findings[0]?.where).toMatch(/app\.note$/);
  expect(coverage.notProbed.map(({ reason }) => reason)).toContainEqual(
    expect.stringContaining('took more than 5 s and were ended'),
  );
});

it('what was seen to cross before the time was over is found', async () => {
  const fleet = await slowFleet(0.9);
  await fleet.change('create policy readers on note for select using (true)');
  const { findings } = await fleet.probe();
  expect(findings.map(({ rule }) => rule).toSorted()).toEqual(['foreign-rows-read', 'not-inspected']);
});
