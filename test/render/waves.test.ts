import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chooseColors } from '../../src/render/colors.js';
import type { Renderer } from '../../src/render/renderer.js';
import { wavesRenderer } from '../../src/render/waves.js';
import { Recorder } from '../cli/support.js';
import { finished, stamped, startedRun, startedUnit, waiting } from './support.js';

class Screen extends Recorder {
  frames = 0;
  columns = 120;
  rows = 40;

  override _write(chunk: Buffer, encoding: string, done: () => void): void {
    if (chunk.toString().includes('wave ')) this.frames += 1;
    super._write(chunk, encoding, done);
  }

  get plain(): string {
    return this.text.replace(/\u001B\[[0-9;?]*[A-Za-z]/g, '');
  }
}

function onScreen(): { screen: Screen; renderer: Renderer } {
  const screen = new Screen(true);
  const colors = chooseColors({ env: {}, isTTY: true, refused: true });
  return { screen, renderer: wavesRenderer({ stream: screen, colors }) };
}

/** Resolves when this was drawn. */
async function drawn(screen: Screen, text: RegExp): Promise<void> {
  await expect.poll(() => screen.plain, { interval: 20 }).toMatch(text);
}

describe('waves on a terminal', () => {
  it('draw at most ten frames a second, however many units finish', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(startedRun(5_000));
    renderer.on(stamped({ type: 'wave.started', wave: 'rest', units: 5_000 }));
    const begun = performance.now();
    for (let at = 0; at < 5_000; at += 1) {
      renderer.on(startedUnit(`schema:t${at}`));
      renderer.on(finished(`schema:t${at}`));
      if (at % 50 === 0) await pause(10);
    }
    const seconds = (performance.now() - begun) / 1_000;
    renderer.on(stamped({ type: 'wave.finished', wave: 'rest', succeeded: 5_000, failed: 0 }));
    await renderer.close();
    expect(screen.frames).toBeGreaterThan(2);
    expect(screen.frames).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 4);
    expect(screen.plain).toContain('wave rest: 5,000 of 5,000');
  });

  it('hear no signals and give the stream back', async () => {
    const before = process.listenerCount('SIGINT');
    const { screen, renderer } = onScreen();
    const { write } = screen;
    renderer.on(stamped({ type: 'wave.started', wave: 'canary', units: 1 }));
    await pause(30);
    expect(
      process
        .listeners('SIGINT')
        .slice(before)
        .filter((listener) => String(listener).includes('127')),
    ).toEqual([]);
    expect(screen.write).toBe(write);
    await renderer.close();
    expect(screen.text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(screen.text.lastIndexOf('\u001B[?25l'));
  });

  it('say in words that units failed, and why', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(stamped({ type: 'wave.started', wave: 'canary', units: 2 }));
    renderer.on(finished('schema:a'));
    renderer.on(finished('schema:b', true));
    renderer.on(stamped({ type: 'wave.finished', wave: 'canary', succeeded: 1, failed: 1 }));
    await renderer.close();
    expect(screen.plain).toContain('wave canary: 2 of 2, 1 failed');
    expect(screen.plain).toContain('schema:b: MIGRATION_FAILED 0001.sql');
  });

  it('draw one wave after the other', async () => {
    const { screen, renderer } = onScreen();
    for (const wave of ['canary', 'early', 'rest']) {
      renderer.on(stamped({ type: 'wave.started', wave, units: 1 }));
      renderer.on(finished('schema:a'));
      renderer.on(stamped({ type: 'wave.finished', wave, succeeded: 1, failed: 0 }));
    }
    await renderer.close();
    for (const wave of ['canary', 'early', 'rest']) expect(screen.plain).toContain(`wave ${wave}: 1 of 1`);
  });

  it('stay on one line while they bake, wait and are taken back', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(stamped({ type: 'wave.started', wave: 'canary', units: 1 }));
    renderer.on(finished('schema:a'));
    renderer.on(stamped({ type: 'wave.finished', wave: 'canary', succeeded: 1, failed: 0 }));
    renderer.on(waiting('bake', new Date(Date.now() + 3_600_000).toISOString()));
    await drawn(screen, /wave canary: 1 of 1, .*; bakes, 1 h 0 min left/);
    renderer.on(stamped({ type: 'wave.resumed', wave: 'canary' }));
    renderer.on(stamped({ type: 'run.halted', reason: 'the budget is spent' }));
    renderer.on(
      stamped({ type: 'unit.finished', unit: 'schema:a', outcome: 'rolledBack', ms: 1, fault: null }),
    );
    await renderer.close();
    expect(screen.plain).toMatch(/✔ wave canary: 1 of 1, 1 rolled back, [^;]*\n/);
    expect(screen.plain).toContain('run halted: the budget is spent');
    expect(screen.plain).not.toMatch(/✔ wave canary: (?!1 of 1)/);
  });

  it('that wait before their first unit go on on the same line', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(waiting('approval', null));
    await drawn(screen, /wave canary: 0, .*; waits for approval: tenantctl runs approve run-1/);
    renderer.on(stamped({ type: 'wave.resumed', wave: 'canary' }));
    renderer.on(stamped({ type: 'wave.started', wave: 'canary', units: 1 }));
    renderer.on(finished('schema:a'));
    await renderer.close();
    expect(screen.plain).toMatch(/✔ wave canary: 1 of 1/);
    expect(screen.plain).not.toMatch(/✔ wave canary: (?!1 of 1)/);
  });

  it('tell notices with and without a wave', async () => {
    const { screen, renderer } = onScreen();
    const notice = (message: string) => stamped({ type: 'notice', level: 'warning', code: 'X', message });
    renderer.on(notice('before'));
    renderer.on(stamped({ type: 'wave.started', wave: 'canary', units: 1 }));
    renderer.on(notice('during'));
    await pause(150);
    await renderer.close();
    expect(screen.plain).toContain('warning: before\n');
    expect(screen.plain).toContain('warning: during');
  });

  it('count units that no run has announced', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(finished('acme'));
    renderer.on(finished('beta'));
    await renderer.close();
    expect(screen.plain).toContain('units: 2, ');
  });

  it('mark a wave that was left before its end', async () => {
    const { screen, renderer } = onScreen();
    renderer.on(stamped({ type: 'wave.started', wave: 'rest', units: 9 }));
    renderer.on(finished('schema:a'));
    await renderer.close();
    expect(screen.plain).toContain('✖ wave rest: 1 of 9');
  });

  it.each([0, 20])('fit a terminal of %i columns', async (columns) => {
    const { screen, renderer } = onScreen();
    screen.columns = columns;
    screen.rows = 0;
    renderer.on(stamped({ type: 'wave.started', wave: 'a-wave-with-a-long-name', units: 1 }));
    renderer.on(finished('schema:a'));
    await pause(150);
    await renderer.close();
    const widths = screen.plain.split('\n').map((line) => line.length);
    expect(screen.plain).toContain('wave a-wave-wi');
    expect(Math.max(...widths)).toBeLessThan(columns === 0 ? 80 : columns);
  });

  it('draw nothing for a command without units', async () => {
    const { screen, renderer } = onScreen();
    await renderer.close();
    expect(screen.text).toBe('');
  });
});
