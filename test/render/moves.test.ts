import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MoveReport } from '../../src/core/move.js';
import { chooseColors } from '../../src/render/colors.js';
import { movePlanText } from '../../src/render/move-plan-text.js';
import { completedMovesText, dueMovesText, moveReportText, movesText } from '../../src/render/move-text.js';
import { type Detail, plainRenderer } from '../../src/render/plain.js';
import { wavesRenderer } from '../../src/render/waves.js';
import { Recorder } from '../cli/support.js';
import { stamped } from './support.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: false });

const home = { cluster: 'main', database: 'app_shared', role: 'app_user' };
const report: MoveReport = {
  move: '3f2a9c1e-0000-4000-8000-000000000000',
  tenant: 'acme',
  from: { ...home, tier: 'pool', schema: 'app', pool: 'shared', epoch: 1 },
  to: { ...home, tier: 'schema', schema: 'tenant_acme', pool: null, role: 'tenant_acme', epoch: 2 },
  method: 'online',
  state: 'grace',
  undo: null,
  rows: 120_000,
  tables: [
    { table: 'customer', rows: 20_000, hash: '8203030980036604210' },
    { table: 'invoice', rows: 100_000, hash: null },
  ],
  verified: true,
  writePauseMs: 36.4,
  fenceWaitMs: 8,
  copyMs: 1_500,
  graceUntil: '2026-11-22T21:52:08Z',
  note: null,
  startedAt: '2026-11-21T21:52:00Z',
  finishedAt: null,
};
const ended = { finishedAt: '2026-11-22T21:53:00Z' };

const text = (change: Partial<MoveReport> = {}, hashes = false) =>
  moveReportText({ ...report, ...change }, colors, { hashes });
const [headline, next] = [
  (shown: string) => shown.split('\n')[0],
  (shown: string) => shown.split('\nNext\n')[1],
];

describe('the report of a move', () => {
  it('says what it took, what is kept, and what can be typed next', () => {
    expect(text()).toMatchSnapshot();
  });

  it('has hashes only where they are asked for', () => {
    expect(text()).not.toContain('8203030980036604210');
    expect(text({}, true)).toMatch(/customer +20,000 +8203030980036604210\ninvoice +100,000 +-/);
  });

  it('names what can be done in each state, and nothing else', () => {
    expect(next(text({ state: 'copying' }))).toMatch(/moves resume acme.*\n.*moves abort acme/);
    expect(next(text({ state: 'moved' }))).toMatch(/^ *tenantctl moves resume acme +goes on with it$/);
    expect(next(text({ undo: 'syncing' }))).toMatch(/^ *tenantctl moves resume acme +goes on with it$/);
    expect(next(text())).toMatch(/moves undo acme.*\n.*moves complete acme/);
    for (const state of ['completed', 'aborted', 'undone'] as const)
      expect(next(text({ state, ...ended }))).toBeUndefined();
  });

  it.each([
    [
      { state: 'completed', ...ended },
      'ok acme has moved from pool shared to schema; its old copy is deleted',
    ],
    [{ state: 'undone', undo: 'flipped', ...ended }, 'ok acme is back in pool shared'],
    [
      { state: 'aborted', note: 'wrong\nplace', ...ended },
      'acme has stayed in pool shared: its move was aborted: wrong place',
    ],
    [{ undo: 'syncing', note: 'slow' }, 'acme is on its way back to pool shared (syncing): slow'],
    [{ state: 'verified', note: 'busy' }, 'acme is on its way to schema (verified): busy'],
    [{ state: 'moved' }, 'acme lives in schema, not yet settled (moved)'],
  ] as [Partial<MoveReport>, string][])('begins, for %j, with: %s', (change, first) => {
    expect(headline(text(change))).toBe(first);
  });
});

it('moves are listed with their homes and pauses', () => {
  expect(movesText([report, { ...report, undo: 'syncing', writePauseMs: null }])).toMatchSnapshot();
  expect(movesText([])).toBe('no moves yet');
});

it('what cron has completed is told with what failed', () => {
  const failed = [{ tenant: 'blue', code: 'MOVE_DRIVEN', message: 'Another\nprocess' }];
  expect(completedMovesText([report], failed)).toBe(
    '1 old copy deleted, 1 failed\n  ok acme: pool shared to schema\n  failed blue: MOVE_DRIVEN Another process',
  );
  expect(dueMovesText([])).toBe('No grace period is over.\n\nNothing was changed.');
  expect(dueMovesText([report, report])).toMatch(
    /^2 old copies would be deleted\n {2}acme: about 120,000 rows in /,
  );
});

it('a plan tells each finding with its remedy', () => {
  const finding = {
    level: 'error' as const,
    where: 'scratch',
    message: 'it has no key',
    hint: 'alter table scratch add primary key (id)',
  };
  const plan = {
    ...report,
    predictedPauseMs: 70,
    maxPauseMs: 250,
    steps: Array.from({ length: 10 }, () => 'step'),
  };
  const warning = { ...finding, level: 'warning' as const, where: 'invoice' };
  expect(movePlanText({ ...plan, findings: [finding, warning] })).toMatchSnapshot();
  expect(movePlanText({ ...plan, findings: [warning] })).toContain('\nFindings\n  warning invoice: ');
  expect(movePlanText({ ...plan, method: 'offline', findings: [] })).toContain(
    'for about 70 ms; reads would not.',
  );
});

const { move, tenant } = report;
const started = stamped({ type: 'move.started', move, tenant, from: 'pool', to: 'schema', method: 'online' });
const step = stamped({ type: 'move.step', move, tenant, state: 'copying', text: 'copies\n2 tables' });
const progress = (rows: number) =>
  stamped({ type: 'move.progress', move, table: 'invoice', rows, total: null });
const finished = (state: MoveReport['state']) =>
  stamped({ type: 'move.finished', move, tenant, state, writePauseMs: 36.4 });

describe('the lines of a move', () => {
  function renderer(detail: Detail = 'changes') {
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    return { lines, ...plainRenderer({ write, colors, detail, signsOfLife: true }) };
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tell each step, and the rows every few seconds', () => {
    const { lines, on } = renderer();
    on(started);
    on(step);
    for (let rows = 1_000; rows <= 120_000; rows += 1_000) {
      vi.advanceTimersByTime(100);
      on(progress(rows));
    }
    on(finished('grace'));
    expect(lines).toEqual([
      'move acme from pool to schema, online (3f2a9c1e)',
      'acme: copies 2 tables',
      'acme: 50,000 rows, 10,204 rows/s',
      'acme: 100,000 rows, 10,101 rows/s',
      'ok acme: moved (writes waited 36 ms)',
    ]);
  });

  it.each([
    ['completed', 'ok acme: completed'],
    ['undone', 'ok acme: undone'],
    ['aborted', 'acme: aborted'],
  ] as const)('say how it ended: %s', (state, line) => {
    const { lines, on } = renderer();
    on(finished(state));
    expect(lines).toEqual([line]);
  });

  it.each(['changes', 'failures'] as const)('give a sign of life in silence, told in %s', (detail) => {
    const { lines, on } = renderer(detail);
    on(started);
    on(step);
    lines.length = 0;
    vi.advanceTimersByTime(30_000);
    on(progress(64));
    lines.length = 0;
    vi.advanceTimersByTime(30_000);
    expect(lines).toEqual(['still at work: move of acme, 1 min 0 s: copies 2 tables, 64 rows']);
  });
});

describe('a move on a terminal', () => {
  class Screen extends Recorder {
    frames = 0;
    columns = 60;
    rows = 20;

    override _write(chunk: Buffer, encoding: string, done: () => void): void {
      if (chunk.toString().includes('rows')) this.frames += 1;
      super._write(chunk, encoding, done);
    }
  }

  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('counts rows on one line, at most ten times a second, and takes it away in the end', async () => {
    const screen = new Screen(true);
    const { on, close } = wavesRenderer({ stream: screen, colors });
    on(started);
    on(step);
    for (let rows = 1; rows <= 3_000; rows += 1) {
      vi.advanceTimersByTime(1);
      on(progress(rows));
    }
    on(stamped({ type: 'notice', level: 'warning', code: 'X', message: 'look out' }));
    on(progress(4_000));
    on(finished('grace'));
    await close();
    expect(screen.frames).toBeGreaterThan(20);
    expect(screen.frames).toBeLessThanOrEqual(31);
    const shown = screen.text.replaceAll(/\r\u001B\[2K(?:[^\n\r]*(?=\r))?/g, '');
    expect(shown).toBe(
      'move acme from pool to schema, online (3f2a9c1e)\nacme: copies 2 tables\nwarning: look out\nok acme: moved (writes waited 36 ms)\n',
    );
  });
});
