import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameOf } from '../src/cli/command.js';
import { COMMANDS } from '../src/cli/commands/index.js';
import { commandReference } from '../src/cli/reference.js';
import { FAULT_POINTS } from '../src/core/faults.js';
import { ROOT, allPages, anchorsOf, codeBlocks, linksOf, readPage, withoutCode } from './support/pages.js';
import { type BlockRun, pasteInto } from './support/shell.js';

const pages = allPages();
const BIN = path.join(ROOT, 'bin/tenantctl.js');

/** The text of every source file under a folder. */
function textOf(folder: string, extension: string): string {
  const names = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(extension))
    .map((name) => readFileSync(path.join(ROOT, folder, name), 'utf8'))
    .join('\n');
}

describe('the README', () => {
  const readme = readPage('README.md');
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;
  const commands = codeBlocks(readme).filter(({ info }) => info === 'sh');

  it('has at most 900 words', () => {
    expect(words(readme.text)).toBeLessThanOrEqual(900);
  });

  it('shows the first command within its first 40 words', () => {
    const first = commands[0]?.text ?? '';
    expect(first).toContain('npm ci');
    expect(words(readme.text.slice(0, readme.text.indexOf(first) + first.length))).toBeLessThanOrEqual(40);
  });

  it('sets everything up with two commands', () => {
    expect(commands.map(({ text }) => text.trim())).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });

  it('names a test that exists for every promise', () => {
    const promises = withoutCode(readme).match(/## What is guaranteed today[\s\S]*?\n## /)?.[0] ?? '';
    const named = [...promises.matchAll(/`(test\/[^`]+)`/g)].map(([, name]) => name as string);
    expect(named.length).toBeGreaterThanOrEqual(10);
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
  });
});

describe('the reference', () => {
  it('of commands is what the program declares, every command with its heading', () => {
    const { text } = readPage('docs/reference/commands.md');
    expect(text, 'run: npm run docs').toBe(commandReference(COMMANDS));
    const lacking = COMMANDS.filter(({ spec }) => !text.includes(`\n## ${nameOf(spec)}\n`));
    expect(lacking).toEqual([]);
  });

  it('is what scripts/write-reference.js writes for the built program', () => {
    const check = spawnSync(process.execPath, ['scripts/write-reference.js', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });
});

describe('the reference of errors', () => {
  const { text } = readPage('docs/reference/errors.md');
  const rows = [...text.matchAll(/^\| `([A-Z][A-Z_]+)` +\| (\d+) +\| (.*?) +\|$/gm)].map(
    ([, code = '', exit = '', meaning = '']) => ({ code, exit, meaning: meaning.trim() }),
  );

  it('says of every code what it means', () => {
    expect(rows.length).toBeGreaterThan(200);
    const silent = rows.filter(({ meaning }) => !/\p{L}{3}/u.test(meaning));
    expect(silent, 'say it in scripts/error-meanings.js').toEqual([]);
  });

  it('has every code that the sources make', () => {
    const known = new Set(rows.map(({ code }) => code));
    const made = [...textOf('src', '.ts').matchAll(/Error\(\s*'([A-Z]+_[A-Z_]+)'/g)].map(
      ([, code = '']) => code,
    );
    expect(made.length).toBeGreaterThan(200);
    expect(made.filter((code) => !known.has(code))).toEqual([]);
  });

  it('explains no code that is never made', () => {
    const explained = readFileSync(path.join(ROOT, 'scripts/error-meanings.js'), 'utf8');
    const codes = [...explained.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, code]) => code as string);
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !rows.some((row) => row.code === code))).toEqual([]);
  });
});

describe('the pages', () => {
  it('link only to what is there', () => {
    const anchors = new Map(pages.map((page) => [page.name, anchorsOf(page)]));
    const links = pages.flatMap((page) => linksOf(page).map((link) => ({ from: page.name, ...link })));
    const dead = links.filter(
      ({ file, anchor }) =>
        !existsSync(path.join(ROOT, file)) || (anchor !== undefined && !anchors.get(file)?.includes(anchor)),
    );
    expect(links.length).toBeGreaterThan(50);
    expect(dead).toEqual([]);
  });

  it('are all reached from the index', () => {
    const reached = new Set(linksOf(readPage('docs/README.md')).map(({ file }) => file.replace(/\/$/, '')));
    const inDocs = pages.map(({ name }) => name).filter((name) => name.startsWith('docs/'));
    const lost = inDocs.filter(
      (name) => name !== 'docs/README.md' && !reached.has(name) && !reached.has(path.posix.dirname(name)),
    );
    expect(lost).toEqual([]);
  });

  it('name only codes, variables and SQLSTATEs that the sources know', () => {
    const variables = readPage('docs/reference/configuration.md');
    const sources = `${textOf('src', '.ts')}\n${textOf('migrations', '.sql')}\n${variables.text}`;
    const named = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/`((?:[A-Z]+_)+[A-Z]+|TC\d{3})`/g)].map(([, code]) => ({
        name,
        code: code as string,
      })),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter(({ code }) => !sources.includes(code))).toEqual([]);
  });

  it('name only fault points that there are', () => {
    const verbs = [...new Set(Object.keys(FAULT_POINTS).map((point) => point.split('.')[0]))].join('|');
    const point = new RegExp(`(?:--fail-at |\`)((?:${verbs})\\.[a-z-]+)\\b(?!\\.)`, 'g');
    const settings = readPage('docs/reference/configuration.md').text;
    // Events of moves have names of the same form.
    const events = readFileSync(path.join(ROOT, 'src/core/events.ts'), 'utf8');
    const isKnown = (name: string) =>
      name in FAULT_POINTS || settings.includes(`\`${name}`) || events.includes(`type: '${name}'`);
    const named = pages.flatMap(({ text }) => [...text.matchAll(point)].map(([, found]) => found as string));
    expect(named).toContain('provision.database-copied');
    expect(named.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('call only commands that there are, with options that they have', () => {
    const known = new Set(COMMANDS.map(({ spec }) => nameOf(spec)));
    const blocks = pages
      .filter(({ name }) => !name.startsWith('docs/reference/'))
      .flatMap((page) => codeBlocks(page).filter(({ info }) => /^(?:sh|console)\b/.test(info)));
    const calls = blocks.flatMap(({ text }) => [
      ...text.matchAll(/(?:^|[ (])tenantctl ([a-z][a-z-]*(?: [a-z-]+)*)/gm),
    ]);
    const unknown = calls
      .map(([, said = '']) => said.trim().split(' '))
      .filter(([first = '', second = '']) => !known.has(first) && !known.has(`${first} ${second}`));
    expect(calls.length).toBeGreaterThan(30);
    expect(unknown).toEqual([]);
  });
});

/** What differs from one run to the next: times, versions, blanks between columns. */
function steady(line: string): string {
  return line
    .trim()
    .replaceAll(/\b\d+(?:\.\d+)? ?(?:ms|s)\b/g, '# s')
    .replaceAll(/PostgreSQL \d+\.\d+/g, 'PostgreSQL #')
    .replaceAll(/\s+/g, ' ');
}

/** The lines of `expected` that do not come in this order in `actual`. */
function missingLines(expected: string, actual: string): string[] {
  const lines = actual.split('\n').map(steady);
  let from = 0;
  return expected.split('\n').filter((line) => {
    if (line.trim() === '') return false;
    const found = lines.indexOf(steady(line), from);
    if (found >= 0) from = found + 1;
    return found < 0;
  });
}

describe('the tutorial, pasted block by block', () => {
  const blocks = codeBlocks(readPage('docs/tutorial.md')).map((block, index, all) => ({
    ...block,
    shows: all[index + 1]?.info === 'text' ? (all[index + 1]?.text ?? '') : '',
  }));
  const pasted = blocks.filter(({ info }) => info === 'sh tutorial');
  const home = mkdtempSync(path.join(tmpdir(), 'tenantctl-tutorial-'));
  const project = path.join(home, 'tenantctl-tutorial');
  let runs: BlockRun[] = [];

  beforeAll(async () => {
    chmodSync(home, 0o755);
    const { CI: _ci, ...env } = process.env;
    runs = await pasteInto(
      { cwd: ROOT, env: { ...env, HOME: home } },
      pasted.map(({ text }) => text),
    );
  }, 180_000);

  afterAll(() => {
    if (existsSync(project)) execFileSync(process.execPath, [BIN, 'dev', 'down'], { cwd: project });
    rmSync(home, { recursive: true, force: true, maxRetries: 20 });
  });

  it('has blocks to paste, and most of them show what they print', () => {
    expect(pasted.length).toBeGreaterThanOrEqual(15);
    expect(pasted.filter(({ shows }) => shows !== '').length).toBeGreaterThanOrEqual(12);
  });

  it.each(pasted.map(({ text, shows }, index) => ({ index, head: text.split('\n', 1)[0], shows })))(
    'block $index works and prints what the page says: $head',
    ({ index, shows }) => {
      const { output, status } = runs[index] as BlockRun;
      const missing = missingLines(shows, output);
      const printed = missing.length > 0 || status !== 0 ? output : 'as it should be';
      expect({ missing, status, printed }).toEqual({ missing: [], status: 0, printed: 'as it should be' });
    },
  );

  it('leaves no server and no folder behind', () => {
    expect(existsSync(project)).toBe(false);
  });
});

describe('the rehearsed rollout, at a small size', () => {
  const blocks = codeBlocks(readPage('docs/how-to/rehearse-a-rollout.md'));
  const pasted = blocks.filter(({ info }) => info === 'sh walkthrough').map(({ text }) => text);
  const home = mkdtempSync(path.join(tmpdir(), 'tenantctl-rollout-'));
  const project = path.join(home, 'tenantctl-rollout');
  const SIZE = { SCHEMAS: '24', DATABASES: '2', POOLED: '4', BAD: '0' };
  let runs: BlockRun[] = [];

  beforeAll(async () => {
    chmodSync(home, 0o755);
    const { CI: _ci, ...env } = process.env;
    const name = `TENANTCTL=$PWD; tenantctl() { node "$TENANTCTL/bin/tenantctl.js" "$@"; }`;
    runs = await pasteInto({ cwd: ROOT, env: { ...env, ...SIZE, HOME: home } }, [name, ...pasted]);
  }, 180_000);

  afterAll(() => {
    if (existsSync(project)) execFileSync(process.execPath, [BIN, 'dev', 'down'], { cwd: project });
    rmSync(home, { recursive: true, force: true, maxRetries: 20 });
  });

  const said = (command: string) =>
    runs[1 + pasted.findIndex((text) => text.includes(command))]?.output ?? '';

  it('is halted by the budget in the second wave, with the third untouched', () => {
    const output = said('tenantctl migrate;');
    expect(output).toMatch(/run halted: 1 of \d units of wave early failed; the budget bears 1 %/);
    expect(output).toMatch(/rest +pending +\d+ +0 +0/);
    expect(output).toContain('exit code 7');
  });

  it('is explained, unit by unit', () => {
    expect(said('tenantctl runs explain\n')).toMatch(
      /schema:s10: failed in 0015_customer_email_checked: .*\(SQLSTATE 23514\)/,
    );
    expect(said('tenantctl runs explain\n')).toMatch(/\d+ units \(.*\): pending: the run is paused/);
  });

  it('is resumed after the repair, and the failed units retried', () => {
    expect(said('mend.mjs')).toContain('mended 2 rows');
    expect(said('tenantctl runs retry;')).toContain('exit code 7\n');
    expect(said('tenantctl runs retry;')).toMatch(
      /0015_customer_email_checked +27\n[\s\S]*nothing is behind/,
    );
  });

  it('is rolled back', () => {
    expect(said('rollback --run')).toContain(
      'rollback succeeded: 27 units (30 tenants), 27 succeeded, 0 failed',
    );
  });

  it('leaves no server and no folder behind', () => {
    expect(runs.at(-1)?.status).toBe(0);
    expect(existsSync(project)).toBe(false);
  });
});
