import pLimit from 'p-limit';
import { beforeAll, describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { useServer } from '../support/server.js';
import { Project } from './project.js';
import { stateOf } from './state.js';

const server = useServer();
const lane = pLimit(2);
const undisturbed = new Map<Tier, unknown>();
const pointsOf = (verb: string) =>
  (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) => point.startsWith(`${verb}.`));
const KILLED = { code: null, signal: 'SIGKILL' };
const keyOf = (tier: Tier) => `00000000-0000-4000-8000-00000000000${TIERS.indexOf(tier)}`;

/** A fleet with a tenant in each tier, called like it. */
async function inhabited(project: Project): Promise<Project> {
  await project.install();
  await project.provisionAll(keyOf);
  return project;
}

beforeAll(async () => {
  const project = await inhabited(new Project(server.current));
  for (const tier of TIERS) undisturbed.set(tier, await stateOf(project, tier, tier));
});

describe('killed while it suspends, the same call again', () => {
  it.concurrent.each(pointsOf('suspend'))('ends suspended, and can be undone: %s', (point) =>
    lane(async () => {
      const project = await inhabited(new Project(server.current));
      for (const tier of TIERS) {
        expect(await project.run('suspend', tier, '--fail-at', point)).toMatchObject(KILLED);
        expect(await project.statuses()).toMatchObject({ [tier]: 'active' });
        await project.do('suspend', tier);
        expect(await project.statuses()).toMatchObject({ [tier]: 'suspended' });
      }
      for (const tier of TIERS) await project.do('activate', tier);
      for (const tier of TIERS) expect(await stateOf(project, tier, tier)).toEqual(undisturbed.get(tier));
    }),
  );
});

describe('killed while it installs, the same call again', () => {
  it.each(pointsOf('install'))('ends with a catalog that works: %s', async (point) => {
    const project = new Project(server.current);
    expect(await project.run('init', '--fail-at', point)).toMatchObject(KILLED);
    const list = await project.run('list', '--json');
    expect(list.code).toBe(5);
    expect(json(list).error).toMatchObject({ code: 'CATALOG_MISSING' });
    await project.do('init');
    await project.provisionAll(keyOf);
    for (const tier of TIERS) expect(await stateOf(project, tier, tier)).toEqual(undisturbed.get(tier));
  });
});

it('each of these verbs has a point to be killed at', () => {
  for (const verb of ['suspend', 'install']) expect(pointsOf(verb)).not.toEqual([]);
});
