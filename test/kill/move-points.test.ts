import { beforeAll, describe, expect, it } from 'vitest';
import type { FaultPoint } from '../../src/core/faults.js';
import type { Tier } from '../../src/core/tier.js';
import { useServer } from '../support/server.js';
import { leftovers } from '../operations/moves/leftovers.js';
import { MoveProject } from './move-project.js';

const server = useServer();
let project: MoveProject;

beforeAll(async () => {
  project = await MoveProject.make(server.current);
});

/** Each tier is left once and reached once. */
const PAIRS: [Tier, Tier][] = [
  ['pool', 'database'],
  ['database', 'schema'],
  ['schema', 'pool'],
];

/** What an online move passes on its way into the grace period. */
const ON_THE_WAY: readonly FaultPoint[] = [
  'move.recorded',
  'move.source-held',
  'move.target-made',
  'move.target-held',
  'move.guarded',
  'move.prepared',
  'move.table-copied',
  'move.copied',
  'move.applied',
  'move.verified',
  'move.drained',
  'move.left',
  'move.opened',
  'move.flipped',
  'move.settled',
];
const AT_ONCE: readonly FaultPoint[] = ['move.prepared', 'move.drained', 'move.left', 'move.opened'];
const COMPLETING: readonly FaultPoint[] = ['move.old-emptied', 'move.cleaned'];
const ABORTING: readonly FaultPoint[] = ['abort.source-freed', 'abort.target-dropped'];
const UNDOING: readonly FaultPoint[] = [
  'undo.recorded',
  'move.applied',
  'move.drained',
  'undo.left',
  'undo.opened',
  'undo.flipped',
  'move.old-emptied',
  'move.cleaned',
];

const NOTHING = { lost: [], extra: [], surprises: [] };

describe.each(PAIRS)('from %s to %s under load', (from, to) => {
  it.each(ON_THE_WAY)('a move killed at %s is finished by `moves resume`', async (point) => {
    const { id, writer } = await project.tenant(from);
    await project.killedAt(point, 'promote', id, '--to', to, '--method', 'online');
    await project.do('moves', 'resume', id);
    expect(await project.settle(id, writer)).toEqual(NOTHING);
    expect(await project.show(id)).toMatchObject({ tier: to, status: 'active' });
    await project.do('moves', 'complete', id, '--yes');
    expect(await leftovers(server.current, project, id)).toEqual([]);
  });

  it.each(COMPLETING)('`moves complete` killed at %s is finished by the same call', async (point) => {
    const { id, writer } = await project.tenant(from);
    await project.do('promote', id, '--to', to, '--method', 'online');
    await project.killedAt(point, 'moves', 'complete', id, '--yes');
    await project.do('moves', 'complete', id, '--yes');
    expect(await project.settle(id, writer)).toEqual(NOTHING);
    expect(await leftovers(server.current, project, id)).toEqual([]);
  });

  it.each(ABORTING)('`moves abort` killed at %s is finished by the same call', async (point) => {
    const { id, writer } = await project.tenant(from);
    await project.killedAt('move.verified', 'promote', id, '--to', to, '--method', 'online');
    await project.killedAt(point, 'moves', 'abort', id, '--yes');
    await project.do('moves', 'abort', id, '--yes');
    expect(await project.settle(id, writer)).toEqual(NOTHING);
    expect(await project.show(id)).toMatchObject({ tier: from, status: 'active', epoch: 1 });
    expect(await leftovers(server.current, project, id)).toEqual([]);
  });

  it.each(UNDOING)('`moves undo` killed at %s is finished by `moves resume`', async (point) => {
    const { id, writer } = await project.tenant(from);
    await project.do('promote', id, '--to', to, '--method', 'online');
    await writer.commits(20);
    await project.killedAt(point, 'moves', 'undo', id, '--yes');
    await project.do('moves', 'resume', id);
    expect(await project.settle(id, writer)).toEqual(NOTHING);
    expect(await project.show(id)).toMatchObject({ tier: from, status: 'active', epoch: 3 });
    expect(await leftovers(server.current, project, id)).toEqual([]);
  });
});

describe.each([
  ['atomic', 'pool', 'schema'],
  ['atomic', 'schema', 'pool'],
  ['offline', 'pool', 'database'],
] as const)('%s from %s to %s under load', (method, from, to) => {
  it.each(AT_ONCE)('a move killed at %s is finished by `moves resume`', async (point) => {
    const { id, writer } = await project.tenant(from);
    await project.killedAt(point, 'promote', id, '--to', to, '--method', method);
    await project.do('moves', 'resume', id);
    expect(await project.settle(id, writer)).toEqual(NOTHING);
    expect(await project.show(id)).toMatchObject({ tier: to, status: 'active' });
    await project.do('moves', 'complete', id, '--yes');
    expect(await leftovers(server.current, project, id)).toEqual([]);
  });
});
