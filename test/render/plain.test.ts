import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chooseColors } from '../../src/render/colors.js';
import { type Detail, plainRenderer } from '../../src/render/plain.js';
import { finished, stamped, startedRun, startedUnit, waiting } from './support.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: false });

function renderer(detail: Detail = 'changes', signsOfLife = true) {
  const lines: string[] = [];
  return { lines, ...plainRenderer({ write: (line) => lines.push(line), colors, detail, signsOfLife }) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('plain lines', () => {
  it('tell each change of a small run', () => {
    const { lines, on } = renderer();
    on(startedRun(2));
    on(stamped({ type: 'wave.started', wave: 'canary', units: 2 }));
    on(finished('schema:a'));
    on(finished('schema:b', true));
    on(stamped({ type: 'wave.finished', wave: 'canary', succeeded: 1, failed: 1 }));
    expect(lines).toEqual([
      'migrate: 2 units, 2 tenants, to 0014_x',
      'wave canary: 2 units',
      'ok schema:a (12 ms)',
      'failed schema:b: MIGRATION_FAILED 0001.sql:1:1: relation "x" [2Jexists',
      'wave canary: 1 succeeded, 1 failed',
    ]);
  });

  it('count thousands of units but tell every failure', () => {
    const { lines, on } = renderer();
    on(startedRun(5_000));
    for (let at = 0; at < 5_000; at += 1) on(finished(`schema:t${at}`, at % 1_000 === 0));
    expect(lines.filter((line) => line.startsWith('failed '))).toHaveLength(5);
  });

  it('tell each tenth of thousands of units, and no unit that is well', () => {
    const { lines, on } = renderer();
    on(startedRun(5_000));
    for (let at = 0; at < 5_000; at += 1) on(finished(`schema:t${at}`, at === 700));
    expect(lines.slice(1, 5)).toEqual([
      '500 of 5,000, 0 ms',
      expect.stringMatching(/^failed schema:t700: /),
      '1,000 of 5,000, 1 failed, 0 ms',
      '1,500 of 5,000, 1 failed, 0 ms',
    ]);
    expect(lines).toHaveLength(1 + 9 + 1);
  });

  it('say with a failure who kept it waiting', () => {
    const { lines, on } = renderer('failures');
    const message =
      'schema:a: 0003.sql:1:1: lock timeout\n1 | alter table\n    ^\n  blocked by pid 812 `reporting`';
    const fault = { code: 'MIGRATION_FAILED', sqlstate: '55P03', message };
    on(stamped({ type: 'unit.finished', unit: 'schema:a', outcome: 'failed', ms: 12, fault }));
    expect(lines).toEqual([
      'failed schema:a: MIGRATION_FAILED 0003.sql:1:1: lock timeout; blocked by pid 812 `reporting`',
    ]);
  });

  it('list no more than a screenful when nobody said how many there are', () => {
    const { lines, on } = renderer();
    for (let at = 0; at < 5_000; at += 1) on(finished(`schema:t${at}`));
    expect(lines.length).toBeLessThanOrEqual(50);
  });

  it('give a sign of life in silence, until closed', async () => {
    const { lines, on, close } = renderer();
    on(startedRun(5_000));
    on(startedUnit('schema:a'));
    on(finished('schema:a'));
    vi.advanceTimersByTime(29_000);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(61_000);
    expect(lines.slice(1)).toEqual([
      'still at work: 1 of 5,000, 30.0 s',
      'still at work: 1 of 5,000, 1 min 0 s',
      'still at work: 1 of 5,000, 1 min 30 s',
    ]);
    await close();
    vi.advanceTimersByTime(600_000);
    expect(lines).toHaveLength(4);
  });

  it('tell what a wave waits for, and when it goes on', () => {
    const { lines, on } = renderer();
    const until = new Date(Date.now() + 600_000).toISOString();
    on(waiting('approval', null));
    on(waiting('bake', until));
    on(waiting('window', until, 'open on weekdays\nfrom 22:00'));
    on(waiting('throttle', null, 'the replica of main is 14 s behind'));
    on(stamped({ type: 'wave.resumed', wave: 'canary' }));
    on(stamped({ type: 'run.halted', reason: '3 of 3 failures allowed' }));
    expect(lines).toEqual([
      'wave canary: waits for approval: tenantctl runs approve run-1',
      'wave canary: bakes, 10 min 0 s left',
      'wave canary: waits for its time window, 10 min 0 s left: open on weekdays from 22:00',
      'wave canary: waits for the load to fall: the replica of main is 14 s behind',
      'wave canary: goes on',
      'run halted: 3 of 3 failures allowed',
    ]);
  });

  it.each(['changes', 'failures'] as const)(
    'give a sign of life while a wave waits, told in %s',
    (detail) => {
      const { lines, on } = renderer(detail);
      on(waiting('bake', new Date(Date.now() + 70_000).toISOString()));
      lines.length = 0;
      vi.advanceTimersByTime(90_000);
      expect(lines).toEqual([
        'wave canary: still bakes, 40.0 s left',
        'wave canary: still bakes, 10.0 s left',
        'wave canary: still bakes, any moment now',
      ]);
      on(stamped({ type: 'wave.resumed', wave: 'canary' }));
      vi.advanceTimersByTime(30_000);
      expect(lines.at(-1)).toMatch(/^still at work: 0, /);
    },
  );

  it('tell a unit that was taken back, and count it once', () => {
    const { lines, on } = renderer();
    on(startedRun(2));
    on(finished('schema:a'));
    on(stamped({ type: 'unit.finished', unit: 'schema:a', outcome: 'rolledBack', ms: 5, fault: null }));
    vi.advanceTimersByTime(30_000);
    expect(lines.slice(2)).toEqual([
      'rolled back schema:a (5 ms)',
      'still at work: 1 of 2, 1 rolled back, 30.0 s',
    ]);
  });

  it('keep to failures and warnings where a program reads along', () => {
    const { lines, on } = renderer('failures', false);
    on(startedRun(2));
    on(finished('schema:a'));
    on(finished('schema:b', true));
    on(stamped({ type: 'notice', level: 'info', code: 'X', message: 'by the way' }));
    on(stamped({ type: 'notice', level: 'warning', code: 'X', message: 'look out' }));
    vi.advanceTimersByTime(600_000);
    expect(lines).toEqual([
      'failed schema:b: MIGRATION_FAILED 0001.sql:1:1: relation "x" [2Jexists',
      'warning: look out',
    ]);
  });

  it('tell every step when asked to', () => {
    const { lines, on } = renderer('steps');
    on(stamped({ type: 'unit.step', unit: 'schema:a', step: '0003 orders' }));
    on(stamped({ type: 'unit.progress', unit: 'schema:a', done: 5, total: null, of: 'rows' }));
    expect(lines).toEqual(['schema:a: 0003 orders', 'schema:a: 5 rows']);
  });
});
