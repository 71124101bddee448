import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { MoveReport } from '../../src/core/move.js';
import type { Connection } from '../../src/pg/connection.js';
import { LOCK_CLASS } from '../../src/pg/locks.js';
import { raw, sql } from '../../src/pg/sql.js';
import { numbered, writeFiles } from '../engine/ledger/directory.js';
import { Project } from '../kill/project.js';
import { type Ran, json } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { query, useServer } from '../support/server.js';
import { engineSession } from '../support/session.js';

const server = useServer();
/** Each test starts the program several times. */
vi.setConfig({ testTimeout: 90_000 });
let project: Project;

const PRODUCT = [
  `create table customer (tenant_id uuid not null, id bigint generated always as identity, name text, primary key (tenant_id, id));`,
  `create table invoice (tenant_id uuid not null, id bigint generated always as identity, customer bigint not null, primary key (tenant_id, id),
     foreign key (tenant_id, customer) references customer (tenant_id, id));
   create index invoice_customer on invoice (tenant_id, customer);`,
];
const SEED = `insert into customer (name) select 'Customer ' || n from generate_series(1, 40) n;
insert into invoice (customer) select id from customer;`;

beforeAll(async () => {
  const migrations = newFolder();
  writeFiles(migrations, { ...numbered(...PRODUCT), 'seed.txt': SEED });
  project = await new Project(server.current, { migrations, seed: join(migrations, 'seed.txt') }).install();
});

const moveOf = (ran: Ran) => json<MoveReport>(ran).data;
const errorOf = (ran: Ran) => json(ran).error;

/** A new tenant of the sample product. */
async function tenant(id: string, plan = 'free'): Promise<string> {
  await project.do('provision', id, '--plan', plan);
  return id;
}

async function promoted(id: string, ...more: string[]): Promise<MoveReport> {
  return moveOf(await project.do('promote', id, '--to', 'schema', '--method', 'online', '--json', ...more));
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await project.statuses())[id];
}

/** What differs from one run of this file to the next. */
function steady(text: string): string {
  return text.replaceAll(project.mark, 'MARK').replaceAll(/\b\d+(?:\.\d+)? (?:ms|s)\b/g, '# s');
}

/** A transaction of the tenant's that has passed the gate and does not end. */
async function writerInside(id: string): Promise<Connection> {
  const session = await engineSession(server.current, `app_${project.mark}`);
  await session.rows(raw('begin'));
  await session.rows(sql`select pg_advisory_xact_lock_shared(${LOCK_CLASS.fence}::int, hashtext(${id}))`);
  return session;
}

/** Kills a promotion at a point; the move stays as it was then. */
async function killedAt(point: string, id: string): Promise<void> {
  const ran = await project.run('promote', id, '--to', 'schema', '--method', 'online', '--fail-at', point);
  expect(ran.signal).toBe('SIGKILL');
}

const catalog = (text: string, ...values: unknown[]) =>
  query(server.current.superuserUrl(`catalog_${project.mark}`), text, values);

const REPORT_KEYS = [
  'copyMs',
  'fenceWaitMs',
  'finishedAt',
  'from',
  'graceUntil',
  'method',
  'move',
  'note',
  'rows',
  'startedAt',
  'state',
  'tables',
  'tenant',
  'to',
  'undo',
  'verified',
  'writePauseMs',
];

describe('promote', () => {
  it('says with --dry-run what it would do, step by step, and changes nothing', async () => {
    const id = await tenant('golden');
    const ran = await project.do('promote', id, '--to', 'schema', '--method', 'online', '--dry-run');
    expect(ran.stdout.replaceAll(project.mark, 'MARK')).toMatchSnapshot();
    expect(await statusOf(id)).toBe('active');
    const data = json<{ plan: { steps: string[]; method: string } }>(
      await project.do('promote', id, '--to', 'database', '--dry-run', '--json'),
    ).data;
    expect(data.plan).toMatchObject({ tenant: id, method: 'online', findings: [], version: 2, rows: 80 });
    expect(data.plan.steps.length).toBeGreaterThan(5);
  });

  it('moves the tenant, reports it, and does nothing when called again', async () => {
    const id = await tenant('goes');
    const report = await promoted(id);
    expect(Object.keys(report).toSorted()).toEqual(REPORT_KEYS);
    expect(report).toMatchObject({
      tenant: id,
      state: 'grace',
      verified: true,
      from: { tier: 'pool', pool: 'shared', epoch: 1 },
      to: { tier: 'schema', pool: null, epoch: 2 },
    });
    expect(report.writePauseMs).toBeLessThan(10_000);
    expect((await promoted(id)).move).toBe(report.move);
    const elsewhere = await project.run('promote', id, '--to', 'database', '--json');
    expect([elsewhere.code, errorOf(elsewhere)?.code]).toEqual([5, 'MOVE_UNFINISHED']);
    await project.do('moves', 'complete', id, '--yes');
    const again = await project.do('promote', id, '--to', 'schema', '--json');
    expect(json(again).data).toEqual({ tenant: id, already: true });
    expect((await project.do('promote', id, '--to', 'schema')).stdout).toContain('goes lives there already');
  });

  it('deletes the old copy at once with --grace 0s', async () => {
    const report = await promoted(await tenant('at-once'), '--grace', '0s');
    expect(report.state).toBe('completed');
    expect(report.finishedAt).not.toBeNull();
  });

  it('is refused with every finding and its remedy, and changes nothing', async () => {
    const id = await tenant('keyless', 'pro');
    await query(
      server.current.adminUrl(`app_${project.mark}`),
      `create table s_${project.mark}_keyless.scratch (tenant_id uuid not null, note text)`,
    );
    const planned = await project.run('promote', id, '--to', 'database', '--method', 'online', '--dry-run');
    expect(planned.code).toBe(6);
    expect(planned.stdout).toMatch(/Refused: \d+ of \d+ findings? must be mended\n {2}error .*scratch/);
    const ran = await project.run('promote', id, '--to', 'database', '--method', 'online', '--json');
    expect([ran.code, errorOf(ran)?.code]).toEqual([6, 'PREFLIGHT_FAILED']);
    expect(await statusOf(id)).toBe('active');
  });

  it.each([
    [2, 'PROMOTE_USAGE', ['promote', 'acme']],
    [2, 'OPTION_INVALID', ['promote', 'acme', '--to', 'table']],
    [2, 'OPTION_INVALID', ['promote', 'acme', '--to', 'schema', '--max-pause', 'soon']],
    [2, 'OPTION_INVALID', ['promote', 'acme', '--to', 'schema', '--max-pause', '0s']],
    [5, 'TENANT_UNKNOWN', ['promote', 'nobody', '--to', 'schema']],
    [5, 'MOVE_UNKNOWN', ['moves', 'show', 'nobody']],
    [5, 'MOVE_UNKNOWN', ['moves', 'resume', 'nobody']],
    [2, 'CONFIRMATION_NEEDED', ['moves', 'complete', 'nobody']],
    [2, 'CONFIRMATION_NEEDED', ['moves', 'undo', 'nobody']],
    [2, 'CONFIRMATION_NEEDED', ['moves', 'abort', 'nobody']],
    [2, 'MOVES_USAGE', ['moves', 'complete', 'nobody', '--due', '--yes']],
  ])('exits %d with %s for: %j', async (exit, code, args) => {
    const ran = await project.run(...args, '--json');
    expect([ran.code, errorOf(ran)?.code]).toEqual([exit, code]);
  });
});

describe('a move in its grace period', () => {
  it('is shown wherever one looks', async () => {
    const id = await tenant('seen');
    const { move } = await promoted(id);
    const list = json<{ moves: MoveReport[] }>(await project.do('moves', 'list', '--json')).data;
    expect(list.moves.find((one) => one.tenant === id)).toMatchObject({ move, state: 'grace' });
    expect((await project.do('moves', 'list')).stdout).toMatch(
      new RegExp(`^${move.slice(0, 8)}  seen +pool shared +schema +online +grace`, 'm'),
    );
    for (const named of [id, move, move.slice(0, 8)])
      expect(moveOf(await project.do('moves', 'show', named, '--json')).move).toBe(move);
    expect((await project.do('moves', 'show', id)).stdout).not.toContain('HASH');
    expect((await project.do('moves', 'show', id, '-v')).stdout).toMatch(
      /TABLE +ROWS +HASH[^]*\ncustomer +40 +-?\d+/,
    );
    const status = json<{ moves: object[] }>(await project.do('status', '--json')).data;
    expect(status.moves).toContainEqual(
      expect.objectContaining({ move, tenant: id, from: 'pool', to: 'schema', state: 'grace', due: false }),
    );
    expect((await project.do('status')).stdout).toMatch(/Moves\n[^]*seen +pool +schema +online +grace/);
    expect((await project.do('show', id)).stdout).toMatch(/Move\npool shared to schema: grace until /);
    const shown = json<{ move: MoveReport }>(await project.do('show', id, '--json')).data;
    expect(shown.move.move).toBe(move);
  });

  it('is undone after a question, and undone only once', async () => {
    const id = await tenant('back');
    const { move } = await promoted(id);
    expect(steady((await project.do('moves', 'undo', id, '--dry-run')).stdout)).toMatchSnapshot();
    expect(moveOf(await project.do('moves', 'show', id, '--json')).state).toBe('grace');
    const undone = moveOf(await project.do('moves', 'undo', id, '--yes', '--json'));
    expect(undone).toMatchObject({ move, state: 'undone' });
    expect((await project.do('moves', 'undo', move, '--yes')).stdout).toContain(
      'back is back in pool shared',
    );
    expect((await project.do('moves', 'undo', move, '--dry-run')).stdout).toContain('Nothing to do');
    const late = await project.run('moves', 'complete', id, '--yes', '--json');
    expect([late.code, errorOf(late)?.code]).toEqual([5, 'MOVE_FINISHED']);
    expect(errorOf(late)?.message).toMatch(/of tenant back has ended: it was undone at 20\d\d-/);
  });

  it('is completed after a question, and completed only once', async () => {
    const id = await tenant('stays');
    const { move } = await promoted(id);
    expect(steady((await project.do('moves', 'complete', id, '--dry-run')).stdout)).toMatchSnapshot();
    const completed = moveOf(await project.do('moves', 'complete', id, '--yes', '--json'));
    expect(completed).toMatchObject({ move, state: 'completed' });
    expect((await project.do('moves', 'complete', move, '--yes')).stdout).toContain(
      'its old copy is deleted',
    );
    const late = await project.run('moves', 'undo', id, '--yes', '--json');
    expect([late.code, errorOf(late)?.code]).toEqual([5, 'MOVE_FINISHED']);
    expect(errorOf(late)?.message).toMatch(/of tenant stays has ended: it was completed at 20\d\d-/);
  });

  it('is shown by the name of its tenant also when it has ended, the newest first', async () => {
    const id = await tenant('again');
    const { move: first } = await promoted(id);
    await project.do('moves', 'undo', id, '--yes');
    expect(moveOf(await project.do('moves', 'show', id, '--json'))).toMatchObject({
      move: first,
      state: 'undone',
    });
    const { move: second } = await promoted(id);
    await project.do('moves', 'complete', id, '--yes');
    expect(moveOf(await project.do('moves', 'show', id, '--json'))).toMatchObject({
      move: second,
      state: 'completed',
    });
  });
});

describe('moves complete --due', () => {
  it('completes what is due, goes on past what fails, and names it', async () => {
    const cron = () => project.run('moves', 'complete', '--due', '--yes', '--json');
    const outcome = (ran: Ran) => {
      const { data } = json<{ completed: MoveReport[]; failed: { tenant: string; code: string }[] }>(ran);
      const failed = data.failed.map(({ tenant: id, code }) => [id, code]);
      return { exit: ran.code, completed: data.completed.map(({ tenant: id }) => id), failed };
    };
    for (const id of ['due-1', 'due-2']) await promoted(await tenant(id));
    expect(outcome(await cron())).toEqual({ exit: 0, completed: [], failed: [] });
    await catalog(`update tenantctl_catalog.moves set grace_until = started_at where tenant like 'due-%'`);
    const dry = (await project.do('moves', 'complete', '--due', '--dry-run')).stdout;
    const status = await project.run('status', '--exit-code', '--json');
    expect([status.code, errorOf(status)?.code]).toEqual([9, 'MOVES_DUE']);
    expect((await project.run('status', '--exit-code', '--require', '2')).code).toBe(0);
    expect(dry).toMatch(/^2 old copies would be deleted\n {2}due-1: .*\n {2}due-2: /);

    const other = await engineSession(server.current, `catalog_${project.mark}`);
    await other.rows(sql`select pg_advisory_lock(${LOCK_CLASS.tenant}::int, hashtext('due-1'))`);
    await catalog(
      `update tenantctl_catalog.moves set lease_owner = 'other', lease_until = now() + interval '1 hour' where tenant = 'due-1'`,
    );
    const ran = await cron();
    expect(outcome(ran)).toEqual({ exit: 7, completed: ['due-2'], failed: [['due-1', 'MOVE_DRIVEN']] });
    expect(errorOf(ran)?.code).toBe('MOVES_PARTIAL');
    await other.rows(raw('select pg_advisory_unlock_all()'));
    await other.close();
    expect(outcome(await cron())).toEqual({ exit: 0, completed: ['due-1'], failed: [] });
  });
});

describe('a move that was killed before the point of no return', () => {
  it('says what is left, is told apart from one that is driven, and is resumed', async () => {
    const id = await tenant('killed');
    await killedAt('move.copied', id);
    expect(await statusOf(id)).toBe('moving');
    const shown = (await project.do('moves', 'show', id)).stdout;
    expect(shown).toContain('killed is on its way to schema (copying)');
    expect(shown).toContain('tenantctl moves abort killed');
    const intent = await project.do('moves', 'resume', id, '--dry-run');
    expect(steady(intent.stdout)).toMatchSnapshot();
    expect((await project.do('promote', id, '--to', 'schema', '--dry-run')).stdout).toBe(intent.stdout);
    await catalog(`update tenantctl_catalog.moves set lease_until = now() where tenant = $1`, id);
    const watched = await project.run('moves', 'watch', id, '--json');
    expect([watched.code, errorOf(watched)?.code]).toEqual([7, 'MOVE_NOT_DRIVEN']);
    const resumed = await project.do('moves', 'resume', id, '--json', '--max-pause', '2s');
    expect(moveOf(resumed)).toMatchObject({ tenant: id, state: 'grace' });
    expect((await project.do('moves', 'resume', id, '--dry-run')).stdout).toContain('Nothing to do');
  });

  it('is aborted after a question, and leaves the tenant where it was', async () => {
    const id = await tenant('given-up');
    await killedAt('move.verified', id);
    expect(steady((await project.do('moves', 'abort', id, '--dry-run')).stdout)).toMatchSnapshot();
    expect(await statusOf(id)).toBe('moving');
    const aborted = moveOf(
      await project.do('moves', 'abort', id, '--yes', '--json', '--reason', 'wrong cluster'),
    );
    expect(aborted).toMatchObject({ state: 'aborted', note: 'wrong cluster' });
    expect(await statusOf(id)).toBe('active');
    const again = await project.do('moves', 'abort', aborted.move, '--yes');
    expect(again.stdout).toContain('given-up has stayed in pool shared: its move was aborted: wrong cluster');
    const watched = await project.run('moves', 'watch', aborted.move, '--json');
    expect([watched.code, errorOf(watched)?.code]).toEqual([5, 'MOVE_ABORTED']);
  });
});

it('a move that was killed after the point of no return only goes forward', async () => {
  const id = await tenant('left');
  await killedAt('move.left', id);
  const refused = await project.run('moves', 'abort', id, '--yes', '--json');
  expect([refused.code, errorOf(refused)?.code]).toEqual([5, 'MOVE_PAST_RETURN']);
  const early = await project.run('moves', 'complete', id, '--yes', '--json');
  expect([early.code, errorOf(early)?.code]).toEqual([5, 'MOVE_NOT_IN_GRACE']);
  expect(moveOf(await project.do('moves', 'resume', id, '--json')).state).toBe('grace');
  expect(await statusOf(id)).toBe('active');
});

it('with --wait the cut-over is tried until writers let go, and another terminal can watch', async () => {
  const id = await tenant('patient');
  const writer = await writerInside(id);
  const driving = project.launch('promote', id, '--to', 'schema', '--method', 'online', '--wait', '-v');
  await driving.said('writers of the tenant did not let go in time');
  const watching = project.launch('moves', 'watch', id);
  await watching.said('patient: verified: writers of the tenant did not let go in time');
  await writer.rows(raw('commit'));
  await writer.close();
  const [drove, watched] = [await driving.ended, await watching.ended];
  expect([drove.code, watched.code]).toEqual([0, 0]);
  for (const { stdout } of [drove, watched])
    expect(stdout).toContain('patient has moved from pool shared to schema');
  expect(watched.stderr).toMatch(/^move patient from pool to schema, online \(\w{8}\)$/m);
  expect(watched.stderr).toMatch(/^ok patient: moved \(writes waited /m);
});

it('interrupted while it waits, a move can be taken back, and the tenant goes on', async () => {
  const id = await tenant('halted');
  const writer = await writerInside(id);
  const more = ['--method', 'online', '--wait', '--json', '--events', '-'];
  const driving = project.launch('promote', id, '--to', 'schema', ...more);
  await driving.said('did not let go in time');
  driving.interrupt();
  const ended = await driving.ended;
  expect([ended.code, errorOf(ended)?.code]).toEqual([130, 'INTERRUPTED']);
  const shown = await project.do('moves', 'show', id);
  expect(shown.stdout).toContain('halted is on its way to schema (verified)');
  await project.do('moves', 'abort', id, '--yes');
  await writer.close();
  expect(await statusOf(id)).toBe('active');
});
