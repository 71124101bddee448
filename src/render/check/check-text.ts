import type { Finding } from '../../core/finding.js';
import { groupBy } from '../../core/group-by.js';
import type { Colors } from '../colors.js';
import { countedFindings } from '../findings-text.js';
import { counted } from '../../core/counted.js';
import { oneLine } from '../line.js';
import { sections } from '../records.js';
import type { CheckView } from './check-view.js';

/** A faulty template is in every tenant: its first places say it all, `--json` has the others. */
const SHOWN_OF_A_RULE = 10;
const SHOWN_STATEMENTS = 8;
/** Policies are long. */
const LONGEST_STATEMENT = 240;
const CUT_OFF = '… -- cut off; whole in --json';

/** Findings for people: by rule, the gravest first, each with the SQL that mends it; what was looked at comes last. */
export function checkText(view: CheckView, colors: Colors): string {
  const groups = groupBy(view.findings, ({ level, rule }) => `${level} ${rule}`);
  return sections(
    ...[...groups.values()].map((group) => groupText(group, colors)),
    [...view.scope, ...baselineLines(view)].join('\n'),
    summary(view, colors),
  );
}

function groupText(group: readonly Finding[], colors: Colors): string {
  const [{ level, rule }] = group as [Finding];
  const paint = { error: colors.red, warning: colors.yellow, info: colors.dim }[level];
  const times = group.length === 1 ? '' : ` (${counted(group.length, 'place')})`;
  const hints = new Set(group.map(({ hint }) => oneLine(hint)));
  const shown = group.slice(0, SHOWN_OF_A_RULE).flatMap((finding) => findingLines(finding, hints.size > 1));
  const more = group.length - SHOWN_OF_A_RULE;
  return [
    `${paint(level)} ${rule}${times}`,
    ...shown,
    ...(more > 0 ? [`  … and ${more} more; --json has them all`] : []),
    ...(hints.size === 1 ? [colors.dim(`  → ${[...hints][0]}`)] : []),
  ].join('\n');
}

function findingLines({ where, message, hint, facts }: Finding, ownHint: boolean): string[] {
  const place = facts.line === undefined ? where : `${where}:${facts.line}`;
  const sql = facts.sql ?? [];
  const more = sql.length - SHOWN_STATEMENTS;
  return [
    `  ${oneLine(place)}: ${oneLine(message)}`,
    ...sql.slice(0, SHOWN_STATEMENTS).map((statement) => `    ${statementLine(statement)}`),
    ...(more > 0 ? [`    … and ${counted(more, 'more statement')}; --json has them all`] : []),
    ...(ownHint ? [`    → ${oneLine(hint)}`] : []),
  ];
}

/** What could not be pasted says so: on one line a comment would swallow what follows it. */
function statementLine(statement: string): string {
  const line = oneLine(statement);
  const [first] = statement.split('\n', 1) as [string];
  if (first !== statement && statement.includes('--')) return `${oneLine(first)} ${CUT_OFF}`;
  if (line.length > LONGEST_STATEMENT) return `${line.slice(0, LONGEST_STATEMENT)} ${CUT_OFF}`;
  return line.endsWith(';') ? line : `${line};`;
}

function baselineLines({ known, paid }: CheckView): string[] {
  const lines = [];
  if (known.length > 0) lines.push(`baseline: ${counted(known.length, 'finding')} known already`);
  if (paid.length > 0) {
    const names = paid.slice(0, 3).map(({ rule, where }) => `${rule} at ${oneLine(where)}`);
    const more = paid.length > names.length ? ` and ${paid.length - names.length} more` : '';
    lines.push(`baseline: no longer there: ${names.join(', ')}${more}; --write-baseline takes them out`);
  }
  return lines;
}

function summary({ findings, whole }: CheckView, colors: Colors): string {
  if (findings.length > 0) return countedFindings(findings);
  return whole ? `${colors.green('ok')} nothing found` : 'nothing found in what was looked at';
}
