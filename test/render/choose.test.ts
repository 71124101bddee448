import { describe, expect, it } from 'vitest';
import { chooseRenderer, type RenderChoice } from '../../src/render/choose.js';
import { Recorder } from '../cli/support.js';
import { finished, startedRun, startedUnit } from './support.js';

async function draw(choice: Partial<RenderChoice>, terminal: boolean): Promise<string> {
  const stderr = new Recorder(terminal);
  const quietly = { env: {}, ci: false, json: false, quiet: false, verbose: false, noColor: true };
  const renderer = chooseRenderer({ ...quietly, stderr, ...choice });
  renderer.on(startedRun(1));
  renderer.on(startedUnit('schema:a'));
  renderer.on(finished('schema:a'));
  await renderer.close();
  return stderr.text;
}

describe('the choice of a renderer', () => {
  it('moves only on a terminal that somebody looks at', async () => {
    const CURSOR = '\u001B[';
    expect(await draw({}, true)).toContain(CURSOR);
    expect(await draw({}, false)).not.toContain(CURSOR);
    expect(await draw({ ci: true }, true)).not.toContain(CURSOR);
    expect(await draw({ env: { TERM: 'dumb' } }, true)).not.toContain(CURSOR);
    expect(await draw({ verbose: true }, true)).not.toContain(CURSOR);
  });

  it('makes no noise where it is not wanted', async () => {
    expect(await draw({ json: true }, true)).toBe('');
    expect(await draw({ quiet: true }, true)).toBe('');
    expect(await draw({}, false)).toContain('ok schema:a');
  });
});
