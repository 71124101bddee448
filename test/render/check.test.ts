import { readFileSync } from 'node:fs';
import draft4 from 'ajv-draft-04';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../src/core/rule.js';
import { findingAnnotations } from '../../src/render/check/annotations.js';
import { checkText } from '../../src/render/check/check-text.js';
import { checkJunit } from '../../src/render/check/junit.js';
import { checkSarif } from '../../src/render/check/sarif.js';
import { chooseColors } from '../../src/render/colors.js';
import { finding, view } from './findings.js';
import { HOSTILE } from './run-report.js';
import { readXml } from './xml-reader.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: false });

const inFile = finding({
  rule: 'own-transaction',
  where: '0002_x.sql',
  facts: { file: 'migrations/0002_x.sql', line: 7, column: 3 },
});
const hostile = finding({ where: HOSTILE, message: HOSTILE, hint: HOSTILE, facts: { sql: [HOSTILE] } });
const unknownRule = finding({ rule: 'not-registered', level: 'info', facts: {} });

describe('SARIF', () => {
  const options = { toolVersion: '1.2.3', configFile: 'deploy/tenantctl.config.yaml' };
  const sarif = (part: Parameters<typeof view>[0]) => JSON.parse(checkSarif(view(part), options));

  it('is valid by the schema of the standard, whatever was found', () => {
    const schema = JSON.parse(readFileSync('test/schemas/sarif-2.1.0.json', 'utf8'));
    const ajv = new draft4.default({ strict: false, allErrors: true });
    formats.default(ajv as never);
    const validate = ajv.compile(schema);
    for (const part of [
      {},
      { findings: [inFile, finding({}), unknownRule, hostile], known: [finding({ level: 'warning' })] },
    ]) {
      expect(validate(sarif(part)), JSON.stringify(validate.errors)).toBe(true);
    }
    const broken = sarif({ findings: [inFile] });
    broken.runs[0].results[0].level = 'grave';
    expect(validate(broken)).toBe(false);
  });

  it('points into the migration file, or for a database at the configuration, which names it', () => {
    const [first, second] = sarif({ findings: [inFile, finding({})] }).runs[0].results;
    expect(first.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'migrations/0002_x.sql' },
      region: { startLine: 7, startColumn: 3 },
    });
    expect(second.locations[0]).toEqual({
      physicalLocation: {
        artifactLocation: { uri: 'deploy/tenantctl.config.yaml' },
        region: { startLine: 1 },
      },
      logicalLocations: [{ fullyQualifiedName: 'main/app.app.invoice' }],
    });
  });

  it('gives a finding the same fingerprint in every run, wherever its line went, and each of two its own', () => {
    const prints = (findings: ReturnType<typeof finding>[]): string[] =>
      sarif({ findings }).runs[0].results.map(
        (result: { partialFingerprints: Record<string, string> }) =>
          result.partialFingerprints['tenantctl/v1'],
      );
    const moved = { ...inFile, facts: { ...inFile.facts, line: 99 } };
    expect(prints([moved])).toEqual(prints([inFile]));
    expect(new Set(prints([inFile, inFile, finding({})])).size).toBe(3);
  });

  it('holds what the baseline knows as suppressed', () => {
    const [result] = sarif({ known: [finding({})] }).runs[0].results;
    expect(result.suppressions).toEqual([{ kind: 'external', justification: 'It is in the baseline.' }]);
  });
});

describe('what could not be looked at', () => {
  const away = finding({ rule: 'not-inspected', where: 'eu', message: 'nobody answers', facts: {} });

  it('makes a SARIF run one that has not succeeded, with the place, whatever else was found', () => {
    const run = (findings: ReturnType<typeof finding>[]) =>
      JSON.parse(checkSarif(view({ findings }), { toolVersion: '1.2.3', configFile: 'c.yaml' })).runs[0];
    expect(run([finding({})]).invocations).toEqual([
      { executionSuccessful: true, toolExecutionNotifications: [] },
    ]);
    expect(run([finding({}), away]).invocations).toMatchObject([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [{ level: 'error', message: { text: 'eu: nobody answers' } }],
      },
    ]);
  });

  it('is an error of its case in JUnit, and no failure', () => {
    const { rules } = view({});
    const unseen = { ...(rules[0] as Rule), name: away.rule };
    const root = readXml(checkJunit(view({ findings: [away, finding({})], rules: [...rules, unseen] })));
    expect(root.attributes).toMatchObject({ failures: '1', errors: '1' });
    const cases = root.children.flatMap((suite) => suite.children);
    const told = cases.filter(({ attributes }) => attributes['name'] === away.rule);
    expect(told.map(({ children }) => children.map(({ name }) => name))).toEqual([['error']]);
  });
});

describe('JUnit', () => {
  it('has a case for each rule that was checked; only errors fail theirs', () => {
    const warning = finding({ rule: 'own-transaction', level: 'warning' });
    const root = readXml(checkJunit(view({ findings: [finding({}), finding({ where: 'other' }), warning] })));
    expect(root.attributes).toMatchObject({ tests: '2', failures: '1' });
    const cases = root.children.flatMap((suite) => suite.children);
    expect(cases.map(({ attributes }) => attributes['name'])).toEqual(['rls-off', 'own-transaction']);
    expect(cases[0]?.children[0]?.name).toBe('failure');
    expect(cases[0]?.children[0]?.text).toContain('other: row-level security is off');
    expect(cases[1]?.children[0]?.name).toBe('system-out');
  });

  it('stays XML whatever a name holds', () => {
    expect(() => readXml(checkJunit(view({ findings: [hostile] })))).not.toThrow();
  });
});

describe('annotations of a check', () => {
  it('stand at the line of the file; those about databases stand at no file', () => {
    expect(findingAnnotations([inFile])[0]).toMatch(
      /^::error file=migrations\/0002_x.sql,line=7,col=3,title=own-transaction::/,
    );
    expect(findingAnnotations([finding({})])[0]).toMatch(/^::error title=rls-off::main\/app/);
  });

  it('are ten of a level at most, and the last one counts the others', () => {
    const many = Array.from({ length: 30 }, (_, at) => finding({ where: `t${at}` }));
    const lines = findingAnnotations([...many, finding({ level: 'info' })]);
    expect(lines).toHaveLength(11);
    expect(lines[9]).toContain('title=21 more findings of level error');
    expect(lines[10]).toMatch(/^::notice /);
  });

  it('cannot be ended or begun by what a database holds', () => {
    for (const line of findingAnnotations([hostile])) expect(line).not.toMatch(/[\r\n]/);
  });
});

describe('findings for people', () => {
  it('stand by rule, with what mends them, and say what was looked at', () => {
    const findings = [finding({}), finding({ where: 'main/app.app.line' }), inFile];
    expect(checkText(view({ findings, scope: ['isolation: 4 tables'] }), colors)).toMatchInlineSnapshot(`
      "error rls-off (2 places)
        main/app.app.invoice: row-level security is off
          alter table app.invoice enable row level security;
        main/app.app.line: row-level security is off
          alter table app.invoice enable row level security;
        → Switch it on.

      error own-transaction
        0002_x.sql:7: row-level security is off
        → Switch it on.

      isolation: 4 tables

      3 errors"
    `);
  });

  it('do not say that all is well where a check was ended early', () => {
    expect(checkText(view({}), colors)).toBe('ok nothing found');
    expect(checkText(view({ whole: false }), colors)).toBe('nothing found in what was looked at');
  });

  it('of a fault in every tenant show ten places and count the others', () => {
    const findings = Array.from({ length: 2_000 }, (_, at) => finding({ where: `t${at}` }));
    const text = checkText(view({ findings }), colors);
    expect(text.split('\n').length).toBeLessThan(30);
    expect(text).toContain('… and 1990 more; --json has them all');
    expect(text).toContain('2,000 errors');
  });

  it('show statements whole up to a length, and say so where one is cut off', () => {
    const sql = ['select 1', `create policy p on t using (${'true and '.repeat(40)} true)`];
    const text = checkText(view({ findings: [finding({ facts: { sql } })] }), colors);
    expect(text).toContain('    select 1;\n');
    expect(text).toMatch(/ … -- cut off; whole in --json$/m);
  });

  it('cut a statement before a comment that would swallow the rest of its line', () => {
    const sql = ['create function f() returns int language sql as $$\nselect 1 -- one\nwhere true $$'];
    const text = checkText(view({ findings: [finding({ facts: { sql } })] }), colors);
    expect(text).toContain('as $$ … -- cut off; whole in --json');
    expect(text).not.toContain('select 1');
  });

  it('hold nothing that a terminal takes for a command', () => {
    // oxlint-disable-next-line no-control-regex
    expect(checkText(view({ findings: [hostile] }), colors)).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
  });

  it('say what the baseline tolerates, and what it names for nothing', () => {
    const paid = [{ rule: 'rls-off', where: 'gone', count: 1 }];
    const text = checkText(view({ known: [finding({})], paid }), colors);
    expect(text).toContain('1 finding known already');
    expect(text).toContain('no longer there: rls-off at gone');
    expect(text).toContain('ok nothing found');
  });
});
