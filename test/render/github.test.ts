import { describe, expect, it } from 'vitest';
import { failureAnnotations, jobSummary } from '../../src/render/github.js';
import { failure, HOSTILE, runReport } from './run-report.js';

/** A workflow command as GitHub's runner takes it apart. */
function parse(line: string) {
  const [, name, properties = '', message = ''] = /^::([a-z]+) ([^:]*)::([^\r\n]*)$/.exec(line) ?? [];
  const pairs = properties.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), decode(pair.slice(at + 1))] as const;
  });
  return { name, properties: Object.fromEntries(pairs), message: decode(message) };
}

const decode = (text: string) =>
  text.replaceAll(/%(0D|0A|3A|2C|25)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

describe('annotations', () => {
  it('are one for 500 units with the same failure, on the line of the file', () => {
    const failures = Array.from({ length: 500 }, (_, at) => failure(`schema:t${at}`));
    const lines = failureAnnotations(failures);
    expect(lines).toHaveLength(1);
    expect(parse(lines[0] as string)).toEqual({
      name: 'error',
      properties: {
        file: 'migrations/0014_activity.sql',
        line: '3',
        title: '0014_activity failed on 500 units (42P07)',
      },
      message:
        'failed on 500 units: schema:t0, schema:t1, schema:t2, schema:t3, schema:t4, schema:t5, schema:t6, schema:t7 and 492 more\n' +
        '0014_activity.sql:3:1: relation "x" exists (SQLSTATE 42P07)\n3 | create table x ();\n    ^',
    });
  });

  it('are ten at most, the most frequent first, and the last one counts the others', () => {
    const failures = Array.from({ length: 40 }, (_, at) =>
      failure(`schema:t${at}`, { sqlstate: `4200${at % 13}` }),
    );
    const lines = failureAnnotations([...failures, failure('schema:x', { sqlstate: '420012' })]).map(parse);
    expect(lines).toHaveLength(10);
    expect(lines[0]?.properties['title']).toContain('failed on 4 units');
    expect(lines.at(-1)?.properties['title']).toBe('4 more reasons');
  });

  it('tell each difference in shape, as no statement failed', () => {
    const differs = { migration: null, code: 'SHAPE_DIFFERS', sqlstate: null, file: null };
    const lines = failureAnnotations([
      failure('schema:a', { ...differs, message: 'schema:a lacks index one' }),
      failure('schema:b', { ...differs, message: 'schema:b lacks index two' }),
      failure('schema:c', { ...differs, message: 'schema:c lacks index two' }),
    ]).map(parse);
    expect(lines.map(({ message }) => message.split('\n').at(-1))).toEqual([
      expect.stringContaining('lacks index two'),
      expect.stringContaining('lacks index one'),
    ]);
  });

  it('name no file outside the repository, and the unit where there is no migration', () => {
    for (const file of ['/srv/migrations/0001.sql', '../0001.sql', 'C:\\x\\0001.sql', null]) {
      const [line] = failureAnnotations([failure('schema:a', { file, migration: null })]);
      expect(parse(line as string).properties).toEqual({ title: 'schema:a failed (42P07)' });
    }
  });

  it('stay one command each, whatever a message or a name holds', () => {
    const hostile = { message: HOSTILE, migration: HOSTILE, sqlstate: HOSTILE, file: HOSTILE };
    const lines = failureAnnotations([failure(HOSTILE, hostile)]);
    expect(lines).toHaveLength(1);
    const { name, properties, message } = parse(lines[0] as string);
    expect(name).toBe('error');
    expect(Object.keys(properties)).toEqual(['file', 'line', 'title']);
    expect(properties['file']).toContain('%0A::error::x,y:z%');
    expect(message).toContain('%0A::error::x,y:z%');
  });

  it('are none for a run without failures', () => expect(failureAnnotations([])).toEqual([]));
});

describe('the job summary', () => {
  it('has headline, waves, failures and the next step', () => {
    expect(jobSummary(runReport(), 'run `tenantctl runs retry`')).toMatchInlineSnapshot(`
      "### tenantctl migrate to 0014_activity: partial

      9 units (100 tenants), 3 succeeded, 2 failed, 1 left out, 2 already there in 1 min 1 s. Run r-1.

      | wave | status | units | succeeded | failed |
      | --- | --- | --- | --- | --- |
      | canary | succeeded | 2 | 2 | 0 |
      | rest | failed | 4 | 1 | 2 |

      | failed unit | migration | SQLSTATE | message |
      | --- | --- | --- | --- |
      | schema:a | 0014_activity | 42P07 | 0014_activity.sql:3:1: relation "x" exists (SQLSTATE 42P07) |
      | schema:b | 0014_activity | 42P07 | 0014_activity.sql:3:1: relation "x" exists (SQLSTATE 42P07) |

      **Next:** run \`tenantctl runs retry\`
      "
    `);
  });

  it('keeps every row of its tables whole, whatever is in it', () => {
    const hostile = failure(HOSTILE, { message: HOSTILE, migration: HOSTILE, sqlstate: HOSTILE });
    const text = jobSummary(runReport({ failures: [hostile], reason: HOSTILE }), 'run it again');
    const rows = text.split('\n').filter((line) => line.includes('|'));
    expect(rows).toHaveLength(2 + 2 + 2 + 1);
    expect(new Set(rows.slice(-3).map((row) => row.split('|').length))).toEqual(new Set([6]));
    expect(text).not.toMatch(/[`<]|\u001B/);
  });

  it('shows 20 failures of 10,000 and stays under 100 kB at its worst', () => {
    const worst = '|'.repeat(10_000);
    const failures = Array.from({ length: 10_000 }, () =>
      failure(worst, { message: worst, migration: worst, sqlstate: worst }),
    );
    const waves = Array.from({ length: 1_000 }, () => ({
      name: worst,
      status: 'failed' as const,
      units: 1,
      succeeded: 0,
      failed: 1,
      durationMs: 1,
    }));
    const text = jobSummary(runReport({ failures, waves, reason: worst }), 'again');
    expect(Buffer.byteLength(text)).toBeLessThan(100_000);
    expect(text).toContain('and 9,980 more');
    expect(text).toContain('and 970 more');
  });
});
