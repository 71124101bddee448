import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/core/duration.js';
import { parseDays } from '../../src/config/calendar.js';
import { maskConnectionUrl, parseConnectionUrl } from '../../src/config/connection-url.js';
import { interpolateText } from '../../src/config/interpolate.js';
import { lineOf } from '../../src/config/locate.js';
import { nearest } from '../../src/core/nearest.js';
import { parseJson, parseYaml } from '../../src/config/parse-file.js';
import { parseSize } from '../../src/config/quantities.js';
import { loadText, problemOf } from './support.js';

describe('connection URLs', () => {
  test.each([
    ['postgres://u@h/d', { host: 'h', port: 5432, database: 'd', user: 'u' }],
    [
      'postgresql://u:p%40ss@h:6432/d%20b?sslmode=require',
      { host: 'h', port: 6432, database: 'd b', user: 'u' },
    ],
    ['postgres://u@h', { host: 'h', port: 5432, database: 'u', user: 'u' }],
    ['postgres://u@[::1]:1/d', { host: '::1', port: 1, database: 'd', user: 'u' }],
    [
      'postgres:///d?host=/var/run/postgresql&port=5433',
      { host: '/var/run/postgresql', port: 5433, database: 'd', user: null },
    ],
    ['postgres://u@%2Fvar%2Frun/d', { host: '/var/run', port: 5432, database: 'd', user: 'u' }],
    ['postgres://u@with_underscore/d', { host: 'with_underscore', port: 5432, database: 'd', user: 'u' }],
  ])('%s is read as libpq does', (text, parts) => {
    expect(parseConnectionUrl(text)).toMatchObject({ url: parts });
  });

  test.each([
    ['mysql://u:secret@h/d', 'begins with postgres:// or postgresql://'],
    ['host=h dbname=d password=secret', 'begins with postgres:// or postgresql://'],
    ['', 'begins with postgres:// or postgresql://'],
    ['postgres:///d', 'must name a host'],
    ['postgres://h', 'must name a database'],
    ['postgres://u:secret@h:port/d', 'the port is a number'],
    ['postgres://u:secret@h:70000/d', 'the port is a number'],
    ['postgres://u:secret@h:0/d', 'must name a port from 1 to 65535'],
    ['postgres://u:secret/x@h/d', 'percent-encoded'],
    ['postgres://u:se@cret/tail@h:1/d', 'percent-encoded'],
    ['postgres://u:1234/secret@h:1/d', 'percent-encoded'],
    ['postgres://u:se@cret#tail/x@h/d', 'percent-encoded'],
    ['postgres://u:12?secret@h/d', 'percent-encoded'],
    ['postgres://:secret@h/d', 'percent-encoded'],
    ['postgres://u:secret@h1:1,h2:2/d', 'one host'],
    ['postgres://u:secret@h1,h2/d', 'one host'],
    ['postgres://u:secret@h/%E0%A4', 'percent-encoded'],
    ['postgres://u:secret@h/a%00b', 'without a NUL character'],
    [`postgres://u:secret@h/${'x'.repeat(64)}`, 'at most 63 bytes'],
  ])('%s is refused without repeating it', (text, sentence) => {
    const result = parseConnectionUrl(text);
    expect(result).toHaveProperty('problem', expect.stringContaining(sentence));
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test.each([
    ['postgres://u:secret@h/d', 'postgres://u:***@h/d'],
    ['postgres://u@h/d?password=secret', 'postgres://u@h/d?password=***'],
    ['postgres://u@h/d', 'postgres://u@h/d'],
    ['postgres://u:secret@h:x/d', '***'],
  ])('%s is shown as %s', (text, shown) => expect(maskConnectionUrl(text)).toBe(shown));
});

describe('interpolation', () => {
  test('variables are put in, also twice and in the middle', () => {
    expect(interpolateText('${A}-${B}-${A}', { A: '1', B: '2' })).toEqual({
      text: '1-2-1',
      changed: true,
      problems: [],
    });
  });

  test('`$${` stands for the characters themselves', () => {
    expect(interpolateText('$${A} $1 $$', { A: '1' })).toEqual({
      text: '${A} $1 $$',
      changed: false,
      problems: [],
    });
  });

  test.each(['${', '${}', '${A', '${A B}', '${A:-x}'])('%s is a mistake', (text) => {
    expect(interpolateText(text, { A: '1' }).problems).toHaveLength(1);
  });

  test('an empty variable is put in, a missing one is a problem', () => {
    expect(interpolateText('<${A}>', { A: '' }).text).toBe('<>');
    expect(interpolateText('${A}', {}).problems).toEqual(['the environment variable A is not set']);
    expect(interpolateText('${toString}', {}).problems).toHaveLength(1);
  });

  test('whatever a variable holds arrives as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => interpolateText('<${A}>', { A: value }).text === `<${value}>`),
    );
  });

  test('any text can be written with escapes', () => {
    const noTwin = fc
      .string({ unit: fc.constantFrom('$', '{', '}', 'a', ' ') })
      .filter((text) => !text.includes('$${'));
    fc.assert(fc.property(noTwin, (text) => interpolateText(text.replaceAll('${', '$${'), {}).text === text));
  });

  test('numbers and booleans can come from variables', async () => {
    const text =
      'catalog: local\nrollout: { retries: "${N}" }\nretention: { export: "${B}" }\nprovision: { seed: "${N}" }';
    const { values } = await loadText(text, { env: { N: '12', B: 'false' } });
    expect([values.rollout.retries, values.retention.export, values.provision.seed]).toEqual([
      12,
      false,
      '12',
    ]);
  });

  test('a number in quotes is still a text', async () => {
    expect(await problemOf('rollout: { retries: "12" }')).toContain(
      'rollout.retries: must be a whole number',
    );
  });
});

describe('quantities', () => {
  test('durations of any unit are read exactly', () => {
    const units = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 } as const;
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    fc.assert(
      fc.property(
        fc.nat(10_000),
        unit,
        (count, name) => parseDuration(`${count}${name}`) === count * units[name],
      ),
    );
    expect(formatDuration(parseDuration('30d') ?? 0)).toBe('30 days');
    expect(formatDuration(parseDuration('51h') ?? 0)).toBe('2 days 3 h');
    expect(formatDuration(parseDuration('250ms') ?? 0)).toBe('250 ms');
  });

  test.each([
    ['512MB', 512 * 1024 ** 2],
    ['50GB', 50 * 1024 ** 3],
    ['1.5kB', 1536],
    ['2TB', 2 * 1024 ** 4],
    ['7B', 7],
    ['50', undefined],
    ['50GiB', undefined],
    ['-1GB', undefined],
    ['9999999999999TB', undefined],
  ])('size %s is %s bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    ['mon-thu', [1, 2, 3, 4]],
    ['fri-mon', [1, 5, 6, 7]],
    ['wed, mon', [1, 3]],
    ['sun', [7]],
    ['mon-', undefined],
    ['mon-tue-wed', undefined],
    ['monday', undefined],
    ['', undefined],
  ])('days %j are %j', (text, days) => expect(parseDays(text)).toEqual(days));

  test.each([
    ['rollout: { lockTimeout: 0s }', 'rollout.lockTimeout: must be a duration from 1ms to 24d'],
    ['rollout: { statementTimeout: 30d }', 'rollout.statementTimeout: must be a duration from 1ms to 24d'],
    ['retention: { period: 99999999999d }', 'retention.period: must be a duration at most 36500d'],
    ['retention: { period: -1d }', 'retention.period: must be a duration such as'],
    [
      'rollout: { failureBudget: { percent: 101% } }',
      'rollout.failureBudget.percent: must be a percentage up to 100%',
    ],
    [
      'rollout: { failureBudget: { percent: x } }',
      'rollout.failureBudget.percent: must be a percentage such as 80%',
    ],
    [
      'rollout: { waves: [{ name: a, percent: 0 }] }',
      'rollout.waves[0].percent: must be a percentage up to 100%',
    ],
    [
      'rollout: { window: { days: mon, from: "9:00", to: "24:00" } }',
      'rollout.window.from: must be a time such as "09:00"',
    ],
    [
      'rollout: { window: { days: mon, from: "09:00", to: "24:00", zone: Mars } }',
      'rollout.window.zone: must be a time zone',
    ],
  ])('%s is refused', async (lines, message) => expect(await problemOf(lines)).toContain(message));

  test('zero is a duration where nothing is enforced by it', async () => {
    const { values } = await loadText('catalog: local\nmoves: { grace: 0s }\nretention: { purgePause: 0ms }');
    expect([values.moves.grace, values.retention.purgePause]).toEqual([0, 0]);
  });
});

describe('finding the line', () => {
  const yaml = 'a:\n  name: x\nb: { name: y,\n     list: [ { name: z } ] }\n"c d":\n  ? e\n  : 1\n';
  test.each([
    [['a', 'name'], 2],
    [['b', 'name'], 3],
    [['b', 'list', 0, 'name'], 4],
    [['b', 'missing'], 3],
    [['c d'], 5],
    [['missing'], undefined],
    [[], undefined],
  ])('%j is on line %s', (path, line) => expect(lineOf(yaml, parseYaml, path)).toBe(line));

  test('JSON has lines too', () => {
    expect(lineOf('{\n\t"a": {\n\t\t"b": 1 } }', parseJson, ['a', 'b'])).toBe(3);
  });
});

test.each([
  ['regin', 'region'],
  ['app_role', 'appRole'],
  ['LOCKTIMEOUT', 'lockTimeout'],
  ['xyz', undefined],
])('nearest to %s is %s', (word, found) => {
  expect(nearest(word, ['region', 'appRole', 'lockTimeout'])).toBe(found);
});
