import { describe, expect, it } from 'vitest';
import { junitText } from '../../src/render/junit.js';
import { failure, HOSTILE, runReport } from './run-report.js';
import { readXml, type XmlElement } from './xml-reader.js';

/** What the schemas of Jenkins and GitLab's parser know. */
const KNOWN: Record<string, { attributes: string[]; children: string[] }> = {
  testsuites: {
    attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'time'],
    children: ['testsuite'],
  },
  testsuite: {
    attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'time'],
    children: ['testcase'],
  },
  testcase: { attributes: ['name', 'classname', 'file', 'time'], children: ['failure', 'skipped'] },
  failure: { attributes: ['message', 'type'], children: [] },
  skipped: { attributes: ['message'], children: [] },
};

function check(element: XmlElement): void {
  const known = KNOWN[element.name];
  expect(known?.attributes).toEqual(expect.arrayContaining(Object.keys(element.attributes)));
  expect(known?.children).toEqual(expect.arrayContaining(element.children.map(({ name }) => name)));
  if (element.name.startsWith('testsuite')) expect(numbers(element)).toEqual(counts(element));
  element.children.forEach(check);
}

const numbers = ({ attributes: { tests, failures, errors, skipped } }: XmlElement) =>
  [tests, failures, errors, skipped].map(Number);

function counts(element: XmlElement): number[] {
  const cases = element.name === 'testcase' ? [element] : element.children.flatMap(casesOf);
  const having = (name: string) => cases.filter(({ children }) => children[0]?.name === name).length;
  return [cases.length, having('failure'), 0, having('skipped')];
}

const casesOf = (element: XmlElement): XmlElement[] =>
  element.name === 'testcase' ? [element] : element.children.flatMap(casesOf);

function read(report = runReport()): XmlElement {
  const root = readXml(junitText(report));
  check(root);
  return root;
}

const outline = (root: XmlElement) =>
  root.children.map(({ attributes, children }) => [
    attributes['name'],
    ...children.map((child) => `${child.attributes['name']} ${child.children[0]?.name ?? 'passed'}`),
  ]);

describe('JUnit XML of a run', () => {
  it('has a suite a wave, a case for each failure, and one for all that went well', () => {
    const root = read();
    expect(root.attributes).toMatchObject({ name: 'tenantctl migrate to 0014_activity', time: '61.000' });
    expect(outline(root)).toEqual([
      ['wave canary', 'units that succeeded passed'],
      [
        'wave rest',
        'schema:a failure',
        'schema:b failure',
        'units that succeeded passed',
        'units that were not visited skipped',
      ],
      ['left out', 'schema:pinned skipped'],
      ['already there', 'units that were there already passed'],
    ]);
    expect(root.children[0]?.attributes['time']).toBe('1.500');
    expect(casesOf(root)[1]).toMatchObject({
      attributes: { classname: 'tenantctl.migrate.rest', file: 'migrations/0014_activity.sql' },
      children: [
        {
          attributes: {
            type: '42P07',
            message: expect.stringContaining('0014_activity: 0014_activity.sql:3:1') as string,
          },
          text: expect.stringContaining('\n3 | create table x ();\n    ^') as string,
        },
      ],
    });
  });

  it('loses no failure whose wave is unknown, or that came before all waves', () => {
    const failures = [
      failure('database:gone', { wave: null, migration: null, file: null, sqlstate: null }),
      failure('schema:a', { wave: 'of another time' }),
    ];
    const [outside] = outline(read(runReport({ waves: [], failures, skipped: [] })));
    expect(outside).toEqual(['outside waves', 'database:gone failure', 'schema:a failure']);
  });

  it('has a case even when there was nothing to do', () => {
    const idle = runReport({ waves: [], failures: [], skipped: [], to: null, run: null });
    idle.totals.current = 0;
    expect(casesOf(read(idle))).toHaveLength(1);
  });

  it('tells units that were taken back', () => {
    const waves = [
      { name: 'rest', status: 'rolled-back' as const, units: 3, succeeded: 0, failed: 0, durationMs: 9 },
    ];
    const taken = runReport({ waves, failures: [], skipped: [] });
    expect(outline(read(taken))[0]).toEqual(['wave rest', 'units that were rolled back skipped']);
    expect(outline(read({ ...taken, kind: 'rollback' }))[0]).toEqual([
      'wave rest',
      'units that were rolled back passed',
    ]);
  });

  it('stays well-formed whatever a message, a name or a reason holds', () => {
    const hostile = failure(HOSTILE, {
      message: HOSTILE,
      migration: HOSTILE,
      file: HOSTILE,
      sqlstate: HOSTILE,
    });
    const root = read(
      runReport({
        to: { id: 1, name: HOSTILE },
        failures: [hostile],
        skipped: [{ unit: HOSTILE, reason: HOSTILE }],
      }),
    );
    const said = casesOf(root)[1]?.children[0];
    expect(said?.text).toContain(']]>');
    expect(said?.text).toContain(`"'&<>&amp;<!--<![CDATA[`);
    expect(said?.text).toContain('🚀');
    expect(said?.attributes['message']).toContain(']]>');
  });

  it('stays small: 10,000 units that succeed are one case, and 10,000 that fail take under 6 MB', () => {
    const waves = [
      {
        name: 'rest',
        status: 'succeeded' as const,
        units: 10_000,
        succeeded: 10_000,
        failed: 0,
        durationMs: 9,
      },
    ];
    expect(junitText(runReport({ waves, failures: [] })).length).toBeLessThan(2_000);
    const long = (at: number) =>
      failure(`schema:t${at}`, { message: `schema:t${at}: ${'very '.repeat(1_000)}long` });
    const failures = Array.from({ length: 10_000 }, (_, at) => long(at));
    const text = junitText(runReport({ failures }));
    expect(text.length).toBeLessThan(6_000_000);
    expect(casesOf(readXml(text)).filter(({ children }) => children[0]?.name === 'failure')).toHaveLength(
      10_000,
    );
  });
});
