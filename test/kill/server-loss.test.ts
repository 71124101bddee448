import { copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TIERS, type Tier } from '../../src/core/tier.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { json } from '../support/cli.js';
import { INVOICING } from '../support/fleet.js';
import { newFolder } from '../support/folder.js';
import { query } from '../support/server.js';
import { useDurableServer } from './durable-server.js';
import { Project } from './project.js';
import { stateOf } from './state.js';

const durable = useDurableServer();
let server: LocalServer;
const undisturbed = new Map<Tier, unknown>();

beforeAll(async () => {
  server = durable.current;
  for (const tier of TIERS) {
    const project = await new Project(server).install();
    await project.do(...project.provisionArgs(tier));
    undisturbed.set(tier, await stateOf(project, tier));
  }
});

const SLEEP = 'select pg_sleep(600);';

/** A project whose provisioning hangs in its migrations or in its seed, until that is mended. */
async function hangingProject(stage: string): Promise<{ project: Project; mend: () => void }> {
  const files = newFolder();
  cpSync(INVOICING, files, { recursive: true });
  const seed = join(files, 'seed.sql');
  const last = join(files, 'migrations', '0015_hangs.sql');
  writeFileSync(stage === 'seed' ? seed : last, SLEEP);
  const project = await new Project(server, { migrations: join(files, 'migrations'), seed }).install();
  const mend = () => (stage === 'seed' ? copyFileSync(`${INVOICING}seed.sql`, seed) : rmSync(last));
  return { project, mend };
}

const HANGS = `select from pg_stat_activity where application_name like 'tenantctl/%' and wait_event = 'PgSleep'`;

/** Resolves when the program hangs. */
async function hanging(): Promise<void> {
  while ((await query(server.superuserUrl('postgres'), HANGS)).length === 0);
}

async function endsAsIfNothingHadHappened(project: Project, tier: Tier): Promise<void> {
  expect(await project.statuses()).toEqual({ acme: 'provisioning' });
  await project.do(...project.provisionArgs(tier));
  expect(await stateOf(project, tier)).toEqual(undisturbed.get(tier));
  expect(project.hooked()).toEqual(['acme']);
}

const cases = ['migrations', 'seed'].flatMap((stage) => TIERS.map((tier) => [tier, stage] as const));

describe('when the administrator of the server ends its sessions while it provisions', () => {
  it.each(cases)(
    'ends with exit 4 and says so, and the same call again ends well: tier %s in its %s',
    async (tier, stage) => {
      const { project, mend } = await hangingProject(stage);
      const lost = project.run(...project.provisionArgs(tier), '--json');
      await hanging();
      await query(
        server.superuserUrl('postgres'),
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tenantctl/%'`,
      );
      const ran = await lost;
      expect(ran).toMatchObject({ code: 4, signal: null });
      expect(json(ran).error?.message).toContain(`127.0.0.1:${server.port}`);
      mend();
      await endsAsIfNothingHadHappened(project, tier);
    },
  );
});

describe('when the server is stopped at once while it provisions', () => {
  it.each([
    ['pool', 'seed'],
    ['schema', 'migrations'],
    ['database', 'migrations'],
    ['database', 'seed'],
  ] as const)(
    'ends with exit 4 and says so, and the same call again ends well: tier %s in its %s',
    async (tier, stage) => {
      const { project, mend } = await hangingProject(stage);
      const lost = project.run(...project.provisionArgs(tier), '--json');
      await hanging();
      await durable.stop('SIGQUIT');
      const ran = await lost;
      expect(ran).toMatchObject({ code: 4, signal: null });
      expect(json(ran).error).toMatchObject({ code: 'CANNOT_CONNECT', exit: 4 });
      server = await durable.start();
      project.server = server;
      mend();
      await endsAsIfNothingHadHappened(project, tier);
    },
  );
});
