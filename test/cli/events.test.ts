import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandThat, document, DONE, invoke } from './support.js';
import { newFolder } from '../support/folder.js';

const commands = [
  commandThat(({ emit }) => {
    emit({ type: 'run.started', kind: 'migrate', units: 2, tenants: 2, target: null });
    emit({ type: 'unit.finished', unit: 'schema:acme', outcome: 'succeeded', ms: 12, fault: null });
    return DONE;
  }),
];

const parse = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('--events', () => {
  it('writes one stamped object a line to stderr, and nothing else', async () => {
    const { stdout, stderr } = await invoke(['probe', '--events', '-'], { commands });
    expect(stdout).toBe('done\n');
    const events = parse(stderr);
    expect(events.map(({ v, seq, type }) => [v, seq, type])).toEqual([
      [1, 1, 'run.started'],
      [1, 2, 'unit.finished'],
    ]);
    expect(new Set(events.map(({ run }) => run)).size).toBe(1);
  });

  it('appends to a file, beside the progress for people', async () => {
    const cwd = newFolder();
    await invoke(['probe', '--events', 'events.ndjson'], { commands, cwd });
    const { stderr } = await invoke(['probe', '--events', 'events.ndjson'], { commands, cwd });
    expect(stderr).toContain('ok schema:acme');
    expect(parse(readFileSync(join(cwd, 'events.ndjson'), 'utf8'))).toHaveLength(4);
  });

  it('refuses a file that cannot be written', async () => {
    const { code, stderr } = await invoke(['probe', '--events', 'no/such/folder'], { commands });
    expect(code).toBe(2);
    expect(stderr).toContain('--events');
    expect(stderr).toContain('hint: Name a file in a folder that exists');
  });

  it('leaves stdout to the document', async () => {
    expect(document(await invoke(['probe', '--events', '-', '--json'], { commands })).ok).toBe(true);
  });
});
