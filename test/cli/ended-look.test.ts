import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { query, useServer, withClient } from '../support/server.js';
import { document } from './support.js';
import { type TwoClusters, twoClusters } from './two-clusters.js';

const server = useServer();
let fleet: TwoClusters;

beforeAll(async () => {
  fleet = await twoClusters(server.current);
});

/** What a look may take to end: it waits two seconds at most for a server that does not answer; and a slow machine on top. */
const SOON_MS = 6_000;

const outside = <Row extends object>(text: string) =>
  query<Row & object>(server.current.superuserUrl('postgres'), text);

/** Until a statement of ours waits for the lock. */
async function waiting(): Promise<void> {
  const held = `select from pg_stat_activity where application_name like 'tenantctl/%' and wait_event_type = 'Lock'`;
  while ((await outside(held)).length === 0);
}

/** Works while somebody keeps tables of a cluster to himself, as a migration by hand does. */
function whileHeld<T>(relation: string, work: () => Promise<T>, cluster = 'eu'): Promise<T> {
  return withClient(server.current.superuserUrl(`${cluster}_${fleet.mark}`), async (client) => {
    await client.query(`begin; lock table ${relation} in access exclusive mode`);
    return work();
  });
}

const LOCAL_STATE = 'tenantctl.placement, tenantctl.ledger';

/** When the last session of ours has gone: what no look may leave. */
async function remains() {
  const sessions = `select from pg_stat_activity where application_name like 'tenantctl%' and datname ~ '${fleet.mark}|postgres'`;
  while ((await outside(sessions)).length > 0);
  const locks = `select from pg_locks where locktype in ('advisory', 'transactionid') and granted and pid <> pg_backend_pid()`;
  return {
    locks: await outside(locks),
    rows: await query(server.current.superuserUrl(`main_${fleet.mark}`), 'select from app.invoice'),
  };
}

describe.each([
  ['check drift', /^check drift: \d of \d databases looked at\.$/],
  ['check isolation', /^check isolation: \d of \d databases looked at\.$/],
  ['check all', /^check drift: \d of \d databases looked at\. To its end: migrations\.$/],
  ['doctor', /^\d of 1\d databases looked at\.$/],
])('the first Ctrl-C at `%s`', (command, far) => {
  it('ends it soon with exit 130, says how far it came, and leaves nothing on the fleet', async () => {
    const { code, took, error } = await whileHeld(LOCAL_STATE, async () => {
      const { send, ended, stdout, exits } = fleet.start([...command.split(' '), '--json']);
      await waiting();
      const from = performance.now();
      send('SIGINT');
      const ending = await ended;
      expect(exits).toEqual([]);
      const result = { code: ending, stdout: stdout.text, stderr: '' };
      return { code: ending, took: performance.now() - from, error: document(result).error };
    });
    expect(took).toBeLessThan(SOON_MS);
    expect(code).toBe(130);
    expect(error?.code).toBe('INTERRUPTED');
    const [, ...told] = (error?.message ?? '').split(
      'Interrupted by SIGINT before everything was looked at. ',
    );
    expect(told).toEqual([expect.stringMatching(far)]);
    expect(error?.hint).toBe(
      'Nothing was changed. The same command again looks at everything from the beginning.',
    );
    expect(await remains()).toEqual({ locks: [], rows: [] });
  });
});

describe('a look that is ended', () => {
  it('by --timeout is exit 11, and writes no report that could pass for a whole one', async () => {
    const { code, stderr } = await whileHeld(LOCAL_STATE, () =>
      fleet.run(['check', 'all', '--timeout', '2s', '--sarif', 'c.sarif', '--junit', 'c.xml']),
    );
    expect(code).toBe(11);
    expect(stderr).toContain('--timeout reached after 2.0 s, before everything was looked at. check ');
    expect(stderr).not.toContain('goes on where this one stopped');
    expect(['c.sarif', 'c.xml'].filter((file) => existsSync(join(fleet.folder, file)))).toEqual([]);
  });

  it('in the middle of its probes has rolled them back', async () => {
    const look = async () => {
      const { send, ended } = fleet.start(['check', 'isolation']);
      await waiting();
      send('SIGINT');
      return ended;
    };
    const code = await whileHeld('app.invoice', look, 'main');
    expect(code).toBe(130);
    expect(await remains()).toEqual({ locks: [], rows: [] });
  });

  it('tells what the checks have found that came to their end', async () => {
    fleet.write('migrations/0002_drop.sql', 'alter table invoice drop column note;');
    const { code, stdout } = await whileHeld(LOCAL_STATE, async () => {
      const { send, ended, stdout: out } = fleet.start(['check', 'all']);
      await waiting();
      send('SIGTERM');
      return { code: await ended, stdout: out.text };
    });
    expect(code).toBe(130);
    expect(stdout).toContain('error drop-column');
  });
});

it('a signal that comes after the last look hides nothing of what was found', async () => {
  const { send, ended, stdout } = fleet.start(['check', 'migrations']);
  const written = stdout._write.bind(stdout);
  stdout._write = (...args) => (send('SIGINT'), written(...args));
  expect(await ended).toBe(8);
});

describe('doctor --fix', () => {
  it('ends after the step that it has begun, says what is left, and the same command goes on', async () => {
    const database = `main_${fleet.mark}`;
    await fleet.inside(
      database,
      `update tenantctl.placement set labels = '{"by":"hand"}' where tier = 'schema'`,
    );
    const { send, ended, stdout, stderr } = fleet.start(['doctor', '--fix']);
    await withClient(server.current.superuserUrl(database), async (client) => {
      await client.query(`begin; select from tenantctl.placement where tenant = 'acme' for update`);
      await waiting();
      send('SIGINT');
      await client.query('rollback');
    });
    expect(await ended).toBe(130);
    expect(stdout.text).toContain('1 finding mended');
    expect(stderr.text).toContain('1 finding mended, 1 left to mend.');
    const again = await fleet.run(['doctor', '--fix']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('1 finding mended');
  });
});
