import type { Check, Column } from './relation.js';

/** A value as text, null, or undefined: left to the default. */
export type Choice = string | null | undefined;

/**
 * Values that may fit into a column, the likeliest first: those that its own constraints name, then what its type takes.
 * @param salt makes values differ from those of another row
 */
export function candidates(
  column: Column,
  checks: readonly Check[],
  bounds: readonly string[],
  salt: string,
): string[] {
  const conditions = checks
    .filter(({ columns }) => columns.includes(column.name))
    .map(({ definition }) => definition);
  const named = [...conditions, ...column.conditions].flatMap(literals);
  const bound = bounds.flatMap(literals).filter((value) => (LIKE[column.category] ?? /^/).test(value));
  return [...new Set([...bound, ...ofType(column, named, salt)])];
}

/** Bounds of several columns stand in one list; those of another type are not for this one. */
const LIKE: Readonly<Record<string, RegExp>> = { N: /^-?\d+(?:\.\d+)?$/, D: /^\d{4}-/ };

function ofType(column: Column, named: readonly string[], salt: string): string[] {
  if (column.labels.length > 0) return column.labels;
  const { base, category } = column;
  const fixed = FIXED[base];
  if (fixed !== undefined) return [...fixed(salt), ...named];
  if (category === 'N') return numbers(column, named, salt);
  if (category === 'S') return texts(column, named, salt);
  if (column.fields > 0) return [`(${','.repeat(column.fields - 1)})`];
  if (category === 'A') return ['{}', ...named.map((value) => `{${quoteElement(value)}}`), '{1}', '{a}'];
  return [...(BY_CATEGORY[category] ?? []), ...named, '', '0', '{}', '()'];
}

const BY_CATEGORY: Readonly<Record<string, readonly string[]>> = {
  B: ['true', 'false'],
  T: ['1 day', '0'],
  R: ['empty'],
  V: ['1', '0'],
  I: ['127.0.0.1'],
};

const DAYS = ['2026-01-15', '2024-02-29', '2000-01-01', '2099-12-31'];
const hex = (salt: string) => salt.replaceAll(/[^0-9a-f]/g, '0').padStart(12, '0');

const FIXED: Readonly<Record<string, (salt: string) => string[]>> = {
  uuid: (salt) => [`00000000-0000-4000-8000-${hex(salt).slice(-12)}`],
  bool: () => ['true', 'false'],
  json: () => ['{}', '[]', 'null', '""', '0'],
  jsonb: () => ['{}', '[]', 'null', '""', '0'],
  bytea: (salt) => [`\\x${hex(salt)}`],
  date: () => DAYS,
  timestamp: () => DAYS,
  timestamptz: () => DAYS,
  time: () => ['12:00'],
  timetz: () => ['12:00+00'],
  xml: () => ['<probe/>'],
  macaddr: (salt) => [hex(salt).slice(-12)],
  macaddr8: (salt) => [`${hex(salt).slice(-12)}0000`],
  pg_lsn: () => ['0/0'],
  money: () => ['1'],
  point: () => ['(0,0)'],
  box: () => ['(0,0),(1,1)'],
  circle: () => ['<(0,0),1>'],
  line: () => ['{1,-1,0}'],
  lseg: () => ['[(0,0),(1,1)]'],
  path: () => ['((0,0),(1,1))'],
  polygon: () => ['((0,0),(1,1))'],
  tsvector: () => [''],
  tsquery: () => ['a'],
  hstore: () => [''],
};

/** Random numbers first: where a key wants them, those of two rows must differ. */
function numbers({ base, precision, scale }: Column, named: readonly string[], salt: string): string[] {
  const digits = precision === null ? (LARGEST[base] ?? 9) : Math.max(precision - (scale ?? 0), 0);
  const random = String(Number.parseInt(hex(salt).slice(-11), 16)).slice(-Math.min(digits, 14)) || '0';
  const near = named.filter((value) => /^-?\d+(\.\d+)?$/.test(value)).flatMap(aroundNumber);
  return [
    ...(named.filter((value) => /^-?\d/.test(value)).length > 0 ? near : []),
    '1',
    random,
    '0',
    '10',
    '-1',
    '100',
    '0.5',
  ];
}

const LARGEST: Readonly<Record<string, number>> = {
  int2: 4,
  int4: 9,
  int8: 14,
  float4: 6,
  float8: 12,
  oid: 9,
};

function aroundNumber(value: string): string[] {
  const number = Number(value);
  return [value, String(number + 1), String(number - 1)];
}

/** A word of our own; what the constraints name, bare and as the beginning of a pattern; usual forms of text. */
function texts({ length }: Column, named: readonly string[], salt: string): string[] {
  const word = `probe${hex(salt).slice(-12)}`;
  const patterns = named.map((value) => value.replaceAll(/^\^|\$$|\\/g, ''));
  const all = [
    word,
    ...named,
    ...patterns.map((value) => `${value}${word}`),
    `${word}@example.com`,
    `https://example.com/${word}`,
    'AAA',
    'aaa',
    '1',
    '2026-01-15',
    '+4912345678',
  ];
  const fitting =
    length === null ? all : all.map((value) => (value.length > length ? value.slice(-length) : value));
  return fitting.filter((value) => value !== '');
}

function quoteElement(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The values that stand in the text of an expression: quoted ones, and numbers. */
export function literals(text: string): string[] {
  const quoted = [...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, value = '']) => value.replaceAll("''", "'"));
  const rest = text.replaceAll(/'(?:[^']|'')*'/g, ' ');
  const bare = [...rest.matchAll(/(?<![\w.])\d+(?:\.\d+)?(?!\w)/g)].map(([value]) => value);
  return [...quoted, ...bare];
}
