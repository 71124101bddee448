import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** What a floor may import beside itself. The order of `engine` parts is that of decision 0001. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  pg: ['core'],
  'engine/formats': ['core'],
  'engine/ledger': ['engine/formats', 'pg', 'core'],
  'engine/local': ['engine/ledger', 'pg', 'core'],
  'engine/context': ['engine/ledger', 'pg', 'core'],
  'engine/catalog': ['engine/context', 'pg', 'core'],
  'engine/rows': ['engine/context', 'engine/local', 'engine/ledger', 'pg', 'core'],
  config: ['core'],
  render: ['core'],
  embedded: ['pg', 'core'],
  operations: ['engine', 'pg', 'core'],
  cli: ['operations', 'engine/context', 'render', 'config', 'embedded', 'core'],
  index: ['operations', 'engine', 'core'],
};

/** A part of the engine above its foundation: a stranger to its neighbours. */
const ENGINE_FOUNDATION = [
  'engine/formats',
  'engine/ledger',
  'engine/local',
  'engine/context',
  'engine/catalog',
  'engine/rows',
  'pg',
  'core',
];

interface SourceFile {
  name: string;
  text: string;
  imports: string[];
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readSource(name.replaceAll(path.sep, '/')));

function readSource(name: string): SourceFile {
  const text = readFileSync(path.join(SRC, name), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
    ([, specifier]) => specifier as string,
  );
  const imports = specifiers.map((specifier) =>
    path.posix.normalize(path.posix.join(path.posix.dirname(name), specifier)).replace(/\.js$/, '.ts'),
  );
  return { name, text, imports };
}

/** `engine/tiers/pool.ts` → `engine/tiers`; `engine/context.ts` → `engine/context`; `pg/sql.ts` → `pg`. */
function floorOf(name: string): string {
  const [first = '', second = ''] = name.replace(/\.ts$/, '').split('/');
  return first === 'engine' ? `${first}/${second}` : first;
}

function mayImport(from: string, to: string): boolean {
  const [fromFloor, toFloor] = [floorOf(from), floorOf(to)];
  if (fromFloor === toFloor) return true;
  const allowed = MAY_IMPORT[fromFloor] ?? (fromFloor.startsWith('engine/') ? ENGINE_FOUNDATION : []);
  return allowed.some((floor) => toFloor === floor || toFloor.startsWith(`${floor}/`));
}

it('sees the files that it speaks about', () => {
  expect(files.length).toBeGreaterThan(120);
  expect(files.reduce((sum, { imports }) => sum + imports.length, 0)).toBeGreaterThan(400);
});

it('imports run only downward', () => {
  const upward = files.flatMap(({ name, imports }) =>
    imports.filter((imported) => !mayImport(name, imported)).map((imported) => `${name} imports ${imported}`),
  );
  expect(upward).toEqual([]);
});

it('no import goes round in a circle, types included', () => {
  const byName = new Map(files.map((file) => [file.name, file]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) circles.push([...trail.slice(trail.indexOf(name)), name].join(' → '));
    if (trail.includes(name) || done.has(name)) return;
    for (const imported of byName.get(name)?.imports ?? []) visit(imported, [...trail, name]);
    done.add(name);
  };
  for (const { name } of files) visit(name, []);
  expect(circles).toEqual([]);
});

it.each([
  ['the driver is imported by pg alone', /from 'pg'|import\('pg'\)/, ['pg']],
  [
    'printing and exiting belong to the command line',
    /console\.|process\.(?:exit|stdout|stderr|argv)\b/,
    ['cli', 'render'],
  ],
  ['the environment is read by the command line and the local server', /process\.env\b/, ['cli', 'embedded']],
  ['terminal libraries stay in render and cli', /from '(?:listr2|picocolors|commander)'/, ['render', 'cli']],
  ['zod stays in config', /from 'zod'/, ['config']],
])('%s', (_promise, pattern, floors) => {
  const elsewhere = files.filter(({ name, text }) => !floors.includes(floorOf(name)) && pattern.test(text));
  expect(elsewhere.map(({ name }) => name)).toEqual([]);
});

it('only the tiers themselves ask for the name of a tier', () => {
  const asking = files.filter(
    ({ name, text }) =>
      !name.startsWith('engine/tiers/') && /\btier\s*[!=]==\s*'(?:pool|schema|database)'/.test(text),
  );
  expect(asking.map(({ name }) => name)).toEqual([]);
});

it('a file holds one idea: no more than 300 lines', () => {
  const long = files.filter(({ text }) => text.split('\n').length > 300);
  expect(long.map(({ name }) => name)).toEqual([]);
});

it('nothing is left for later', () => {
  const left = files.filter(({ text }) => /\b(?:TODO|FIXME|XXX|HACK)\b/.test(text));
  expect(left.map(({ name }) => name)).toEqual([]);
});
