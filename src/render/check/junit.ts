import { tolerable } from '../../core/baseline.js';
import type { Finding } from '../../core/finding.js';
import { groupBy } from '../../core/group-by.js';
import { CHECKS, type Rule } from '../../core/rule.js';
import { firstLine, oneLine } from '../line.js';
import { element, type Xml, xmlDocument } from '../xml.js';
import type { CheckView } from './check-view.js';

const LONGEST_MESSAGE = 300;
/** One fault of a template is in every tenant. */
const PLACES_OF_A_RULE = 100;

/**
 * Findings as JUnit XML: a suite for each check, a case for each rule, so that a rule has a history. Errors fail their
 * case; warnings and infos stand in its output, for they do not fail the command either. What could not be looked at is no
 * failure but an error, as for any test that could not be run.
 */
export function checkJunit({ findings, rules }: CheckView): string {
  const byRule = groupBy(findings, ({ rule }) => rule);
  const suites = CHECKS.map((check) => ({ check, rules: rules.filter((rule) => rule.check === check) }))
    .filter((suite) => suite.rules.length > 0)
    .map((suite) => ({
      ...suite,
      ...countsOf(suite.rules.filter(({ name }) => fails(byRule.get(name)))),
    }));
  const counts = {
    tests: suites.reduce((sum, suite) => sum + suite.rules.length, 0),
    failures: suites.reduce((sum, { failures }) => sum + failures, 0),
    errors: suites.reduce((sum, { errors }) => sum + errors, 0),
    skipped: 0,
  };
  const elements = suites.map((suite) =>
    element(
      'testsuite',
      {
        name: `check ${suite.check}`,
        tests: suite.rules.length,
        failures: suite.failures,
        errors: suite.errors,
        skipped: 0,
      },
      suite.rules.map((rule) => ruleCase(rule, byRule.get(rule.name) ?? [])),
    ),
  );
  return xmlDocument(element('testsuites', { name: 'tenantctl check', ...counts }, elements));
}

function countsOf(failing: readonly Rule[]): { failures: number; errors: number } {
  const failures = failing.filter(({ name }) => tolerable({ rule: name })).length;
  return { failures, errors: failing.length - failures };
}

function fails(findings: readonly Finding[] | undefined): boolean {
  return findings?.some(({ level }) => level === 'error') === true;
}

function ruleCase({ check, name }: Rule, findings: readonly Finding[]): Xml {
  const attributes = { classname: `tenantctl.check.${check}`, name };
  const [first] = findings;
  if (first === undefined) return element('testcase', attributes);
  const lines = findings.slice(0, PLACES_OF_A_RULE).map(lineOf);
  if (findings.length > lines.length) lines.push(`and ${findings.length - lines.length} more`);
  const text = lines.join('\n');
  if (!fails(findings)) return element('testcase', attributes, [element('system-out', {}, text)]);
  const message = `${oneLine(first.where)}: ${firstLine(first.message)}`.slice(0, LONGEST_MESSAGE);
  return element('testcase', attributes, [
    element(tolerable(first) ? 'failure' : 'error', { message, type: name }, text),
  ]);
}

function lineOf({ level, where, message, hint }: Finding): string {
  return `${level} ${oneLine(where)}: ${oneLine(message)} ${oneLine(hint)}`;
}
