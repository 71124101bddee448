import type { Finding } from '../../core/finding.js';
import { groupBy } from '../../core/group-by.js';
import type { Rule } from '../../core/rule.js';
import { ident, raw } from '../../pg/sql.js';
import { COMMANDS, type Command, type Outcome } from './attempt.js';
import type { Coverage } from './coverage.js';
import { CONTEXTS, type Context, type Situation, type Tried } from './table-run.js';
import { remadeKey } from './key-shape.js';
import { remadeForeignKey } from './remade-foreign-key.js';
import { contextBreaksReading } from './probes/context-breaks-reading.js';
import { foreignRowsRead } from './probes/foreign-rows-read.js';
import { foreignRowsWritten } from './probes/foreign-rows-written.js';
import { keyTellsForeignRows, tells, unguessable } from './probes/key-tells-foreign-rows.js';
import { partitionReached } from './probes/partition-reached.js';
import { reachesBack, referenceToForeignRow } from './probes/reference-to-foreign-row.js';
import { verdictOf } from './probes/verdict.js';
import { type Scene, placeOf } from './scene.js';
import { policyAdvice } from './advice.js';
import { TOO_LONG, asksLoginFinding, overtimeFinding } from './not-inspected.js';
import type { Relation } from './specimen/relation.js';

/** What was found at one table, and how much of it was looked at. */
export interface Judged {
  findings: Finding[];
  coverage: Pick<Coverage, 'probes' | 'probed' | 'notProbed'>;
}

/** The commands that are tried for real. TRUNCATE is not: its rule reads the privilege. */
export const TRIED = COMMANDS.filter((command) => command !== 'TRUNCATE');
const READING: ReadonlySet<Command> = new Set(['SELECT', 'SELECT FOR UPDATE', 'COPY']);

type Seen = Tried['outcomes'][number];

/** Tells what the attempts at one table mean. */
export function judgeTable(scene: Scene, tried: Tried): Judged {
  const { table } = tried.specimen;
  const doubt = new Map<Command, string | null>(
    TRIED.map((command) => [command, doubtOf(command, table, tried.controls)]),
  );
  const sure = tried.outcomes.filter(({ outcome }) => doubt.get(outcome.attempt.command) === null);
  const crossed = sure.filter(({ outcome }) => verdictOf(outcome) === 'crossed');
  const findings = [
    // Who sees what depends on the login, and that of a probe is the administrator's.
    ...(table.asksLogin === null ? crossingFindings(scene, table, crossed) : []),
    ...brokenFindings(scene, table, sure),
    ...keyFindings(scene, tried),
    ...referenceFindings(scene, tried),
    ...gapFindings(scene, tried),
  ];
  return { findings, coverage: coverageOf(scene, tried, doubt) };
}

function gapFindings(scene: Scene, { specimen: { table }, stopped }: Tried): Finding[] {
  const where = placeOf(scene, table.qualified);
  return [
    ...(table.asksLogin === null ? [] : [asksLoginFinding(where, table.asksLogin)]),
    ...(stopped ? [overtimeFinding(where)] : []),
  ];
}

/** What is said of a table at which nothing was tried. */
export function untried(scene: Scene, table: Relation, finding: Finding): Judged {
  const where = placeOf(scene, table.qualified);
  const probes = TRIED.length * CONTEXTS.length;
  const reason = String(finding.facts['reason']);
  return { findings: [finding], coverage: { probes, probed: 0, notProbed: [{ where, reason }] } };
}

/**
 * Why a command proves nothing at this table, or null. Where the application has no right to it, there is nothing to prove.
 */
function doubtOf(command: Command, table: Relation, controls: readonly Outcome[]): string | null {
  const own = controls.filter(({ attempt }) => attempt.command === command);
  if (own.length === 0 || own.some((outcome) => verdictOf(outcome) === 'crossed')) return null;
  const refusal = own[0] as Outcome;
  if (refusal.state === '42501' && !rightsFor(command).every((right) => table.may[right])) return null;
  const why = refusal.rows === 0 ? 'it does not find its own row' : refusal.message;
  return `${command} does not even work for the tenant's own row: ${why}`;
}

function rightsFor(command: Command): (keyof Relation['may'])[] {
  switch (command) {
    case 'INSERT':
      return ['insert'];
    case 'INSERT ON CONFLICT':
      return ['insert', 'update', 'select'];
    case 'UPDATE':
    case 'SELECT FOR UPDATE':
    case 'MERGE':
      return ['update', 'select'];
    case 'DELETE':
      return ['delete', 'select'];
    default:
      return ['select'];
  }
}

function crossingFindings(scene: Scene, table: Relation, crossed: readonly Seen[]): Finding[] {
  const byRule = groupBy(crossed, ({ outcome }) => ruleFor(table, outcome.attempt.command));
  return [...byRule]
    .map(([rule, seen]) => {
      const ways = [
        ...groupBy(seen, ({ outcome }) => `${outcome.attempt.command} ${outcome.attempt.how}`).keys(),
      ];
      const situations = [...new Set(seen.map(({ situation }) => situation))];
      return {
        rule: rule.name,
        level: rule.level,
        where: placeOf(scene, table.qualified),
        message: `The application ${rule === foreignRowsWritten ? 'writes' : 'reaches'} rows of other tenants: ${ways.join('; ')}; in ${inWords(situations)}.`,
        ...policyAdvice(scene, table, rule),
      };
    })
    .map((finding, n) => {
      const seen = [...byRule.values()][n] ?? [];
      return { ...finding, facts: { ...finding.facts, table: table.name, ...particulars(seen) } };
    });
}

function ruleFor(table: Relation, command: Command): Rule {
  if (table.parent !== null) return partitionReached;
  return READING.has(command) ? foreignRowsRead : foreignRowsWritten;
}

function particulars(seen: readonly Seen[]) {
  return {
    commands: [...new Set(seen.map(({ outcome }) => outcome.attempt.command))],
    contexts: [...new Set(seen.map(({ situation }) => situation))],
    attempts: seen.map(({ situation, outcome: { attempt } }) => ({
      command: attempt.command,
      how: attempt.how,
      context: situation,
    })),
  };
}

function inWords(situations: readonly Situation[]): string {
  if (!CONTEXTS.every((context) => situations.includes(context))) return situations.join(', ');
  const settings = situations.filter((one) => !CONTEXTS.includes(one as Context));
  return settings.length === 0 ? 'every context' : `every context, also with ${settings.join(' or ')}`;
}

/** One finding for all contexts in which reading fails. */
function brokenFindings(scene: Scene, table: Relation, seen: readonly Seen[]): Finding[] {
  const broken = seen.filter(
    ({ situation, outcome }) =>
      outcome.attempt.command === 'SELECT' &&
      CONTEXTS.includes(situation as Context) &&
      verdictOf(outcome) === 'failed',
  );
  const [first] = broken;
  if (first === undefined) return [];
  const situations = [...new Set(broken.map(({ situation }) => situation))];
  return [
    {
      rule: contextBreaksReading.name,
      level: contextBreaksReading.level,
      where: placeOf(scene, table.qualified),
      message: `Reading fails (${first.outcome.state}: ${first.outcome.message}) instead of finding nothing, in ${inWords(situations)}.`,
      hint: contextBreaksReading.remedy,
      facts: {
        table: table.name,
        ...particulars(broken),
        sqlstate: first.outcome.state,
        policies: table.policies,
      },
    },
  ];
}

function keyFindings(scene: Scene, { specimen, keys }: Tried): Finding[] {
  const telling = keys.filter(({ key, outcomes }) =>
    outcomes.some((outcome) => tells(specimen, key, outcome)),
  );
  return telling.map(({ key }) => {
    const columns = key.columns.map((name) => ident(name).text()).join(', ');
    const quiet = unguessable(specimen, key);
    return {
      rule: keyTellsForeignRows.name,
      level: quiet ? 'info' : keyTellsForeignRows.level,
      where: placeOf(scene, specimen.table.qualified, key.name),
      message: `A tenant that writes the value of a hidden row is refused as a duplicate, so unique key (${columns}) of ${specimen.table.name} tells which values other tenants have.`,
      hint: keyTellsForeignRows.remedy,
      facts: {
        table: specimen.table.name,
        columns: key.columns,
        commands: ['INSERT', 'UPDATE'],
        contexts: [CONTEXTS[0]],
        sql: remadeKey(key.shape, specimen.tenantColumn).map((statement) => statement.text()),
      },
    };
  });
}

function referenceFindings(scene: Scene, { specimen, references }: Tried): Finding[] {
  const accepted = references.filter(({ outcome }) => (outcome.rows ?? 0) > 0);
  return accepted.map(({ reference }) => {
    const back = reachesBack(reference);
    return {
      rule: referenceToForeignRow.name,
      level: back ? 'error' : referenceToForeignRow.level,
      where: placeOf(scene, specimen.table.qualified, reference.name),
      message: `A row of one tenant was made to refer to a hidden row of another in ${reference.parent}${back ? ', whose deletion then reaches back to it' : ''}.`,
      hint: referenceToForeignRow.remedy,
      facts: {
        table: specimen.table.name,
        columns: reference.columns,
        commands: ['UPDATE'],
        contexts: [CONTEXTS[0]],
        sql: specimen.table.tenanted
          ? remadeForeignKey({
              ...reference,
              table: raw(specimen.name),
              parent: raw(reference.parent),
              partitioned: specimen.table.kind === 'p',
              tenantColumn: specimen.tenantColumn,
            }).map((statement) => statement.text())
          : [],
      },
    };
  });
}

/** One probe is one command in one context. */
function coverageOf(
  scene: Scene,
  { specimen: { table }, outcomes, without, stopped }: Tried,
  doubt: ReadonlyMap<Command, string | null>,
): Judged['coverage'] {
  const where = placeOf(scene, table.qualified);
  const probes = TRIED.length * CONTEXTS.length;
  if (table.asksLogin !== null)
    return untried(scene, table, asksLoginFinding(where, table.asksLogin)).coverage;
  const reasons = new Set<string>();
  let probed = 0;
  for (const command of TRIED)
    for (const context of CONTEXTS) {
      const reason = reasonAgainst(command, context);
      if (reason === null) probed += 1;
      else reasons.add(reason);
    }
  return { probes, probed, notProbed: [...reasons].map((reason) => ({ where, reason })) };

  function reasonAgainst(command: Command, context: Context): string | null {
    if (without.includes(context))
      return `rows can only be made in a tenant's own context, so nothing was tried in ${context}`;
    if (stopped && !outcomes.some((one) => one.situation === context)) return TOO_LONG;
    const doubted = doubt.get(command) ?? null;
    if (doubted !== null) return doubted;
    const unknown = outcomes.find(
      ({ situation, outcome }) =>
        situation === context && outcome.attempt.command === command && verdictOf(outcome) === 'unknown',
    );
    return unknown === undefined ? null : `${command}: ${unknown.outcome.message}`;
  }
}
