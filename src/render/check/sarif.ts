import { createHash } from 'node:crypto';
import { tolerable } from '../../core/baseline.js';
import type { Finding } from '../../core/finding.js';
import type { Rule } from '../../core/rule.js';
import { oneLine } from '../line.js';
import type { CheckView } from './check-view.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** GitHub takes 25,000 results of a run and refuses the file beyond them. */
const MOST_RESULTS = 25_000;

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

export interface SarifOptions {
  toolVersion: string;
  /**
   * The configuration file, relative to the repository. A finding about a database points at it, for viewers show nothing
   * that has no file; the object itself is its logical location.
   */
  configFile: string;
}

/**
 * Findings as SARIF 2.1.0, as code scanning reads it. Those of a baseline are there as well, suppressed. Errors come
 * first, so that what is cut off is the lightest.
 */
export function checkSarif({ findings, known, rules }: CheckView, options: SarifOptions): string {
  const { toolVersion, configFile } = options;
  const fingerprint = fingerprints();
  const results = [
    ...findings.map((finding) => resultOf(finding, rules, fingerprint(finding), configFile)),
    ...known.map((finding) => ({
      ...resultOf(finding, rules, fingerprint(finding), configFile),
      suppressions: [{ kind: 'external', justification: 'It is in the baseline.' }],
    })),
  ];
  const driver = { name: 'tenantctl', semanticVersion: toolVersion, rules: rules.map(ruleOf) };
  const run = {
    tool: { driver },
    invocations: [invocationOf(findings)],
    columnKind: 'utf16CodeUnits',
    results: results.slice(0, MOST_RESULTS),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

/** A look that has not seen everything says so: nothing that is missing here is thereby mended. */
function invocationOf(findings: readonly Finding[]) {
  const unseen = findings.filter((finding) => finding.level === 'error' && !tolerable(finding));
  return {
    executionSuccessful: unseen.length === 0,
    toolExecutionNotifications: unseen.map(({ rule, where, message }) => ({
      level: 'error',
      descriptor: { id: rule },
      message: { text: `${oneLine(where)}: ${oneLine(message)}` },
    })),
  };
}

function ruleOf({ name, check, level, summary, explanation, remedy, bad, good }: Rule) {
  const markdown = [
    `${explanation}\n\n${remedy}`,
    `\`\`\`sql\n-- bad\n${bad}\n\`\`\``,
    `\`\`\`sql\n-- good\n${good}\n\`\`\``,
  ].join('\n\n');
  return {
    id: name,
    shortDescription: { text: summary },
    fullDescription: { text: explanation },
    help: { text: `${explanation}\n\n${remedy}`, markdown },
    defaultConfiguration: { level: LEVELS[level] },
    properties: { tags: [check, ...(check === 'isolation' ? ['security'] : [])] },
  };
}

function resultOf(finding: Finding, rules: readonly Rule[], fingerprint: string, configFile: string) {
  const { rule, level, where, message, hint, facts } = finding;
  const index = rules.findIndex(({ name }) => name === rule);
  const { file = configFile, line = 1, column } = facts;
  const region = { startLine: line, ...(column === undefined ? {} : { startColumn: column }) };
  return {
    ruleId: rule,
    ...(index === -1 ? {} : { ruleIndex: index }),
    level: LEVELS[level],
    message: { text: `${oneLine(where)}: ${oneLine(message)} ${oneLine(hint)}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(file) }, region },
        logicalLocations: [{ fullyQualifiedName: where }],
      },
    ],
    partialFingerprints: { 'tenantctl/v1': fingerprint },
  };
}

/** Relative to the root of the repository where it can be; every part is escaped. */
function uriOf(file: string): string {
  const path = file.split(/[\\/]/).map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}

/** The same finding has the same one in every run, whatever its line; the second of its kind at a place has another. */
function fingerprints(): (finding: Finding) => string {
  const seen = new Map<string, number>();
  return ({ rule, where }) => {
    const key = JSON.stringify([rule, where]);
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return createHash('sha256').update(`${key}${nth}`).digest('hex').slice(0, 32);
  };
}
