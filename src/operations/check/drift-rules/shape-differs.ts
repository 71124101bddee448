import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import type { Fleet } from '../../../engine/context.js';
import { type Mend, mendingOf } from '../drift/mending.js';
import { count, idsOf, nameFew, tenantsIn } from '../drift/names.js';
import { type Deviation, byDatabase } from '../drift/deviation.js';
import type { SeenUnit } from '../drift/survey.js';

export const shapeDiffers: Rule = {
  name: 'shape-differs',
  check: 'drift',
  level: 'error',
  summary: 'A few units look otherwise than the rest at the same version: the next rollout stops there.',
  explanation:
    'Somebody changed them by hand, an import left something, or a migration did not do there what it did elsewhere. After each migration a unit is compared with its like, so a rollout fails on these. Pools are compared with pools; schemas and databases of single tenants with each other. What the files make decides where a run has seen it; otherwise what most tenants have.',
  remedy:
    'Run the statements of the finding in the database that it names, one after the other and outside a transaction; or make a migration of the difference, so that all have it.',
  bad: 'alter table invoice add column note text;',
  good: 'select note from (select null::text as note) as nothing_changed;',
};

const TOLD = 5;

/** One finding for each database: its statements are for one session with it. */
export async function differs(fleet: Fleet, deviation: Deviation): Promise<Finding[]> {
  const { expected, actual, sort } = deviation;
  const findings: Finding[] = [];
  for (const units of byDatabase(sort.units)) {
    const mend =
      expected === null || actual === null ? null : await mendingOf(fleet, units, expected, actual);
    findings.push(findingOf(deviation, units, mend));
  }
  return findings;
}

function findingOf(deviation: Deviation, units: readonly SeenUnit[], mend: Mend | null): Finding {
  const records = units.map(({ unit }) => unit);
  const { cluster, database } = (units[0] as SeenUnit).unit;
  const differences = deviation.differences.map(({ text }) => text);
  return {
    rule: shapeDiffers.name,
    level: shapeDiffers.level,
    where: `${cluster}/${database}, ${nameFew(idsOf(records))}`,
    message: messageOf(deviation, units.length, differences),
    hint: hintOf(mend),
    facts: {
      units: idsOf(records),
      tenants: tenantsIn(records),
      version: deviation.kind.version?.name ?? null,
      differences,
      byHand: mend?.byHand ?? [],
      loses: mend?.loses ?? [],
      ...(mend === null || mend.sql.length === 0 ? {} : { sql: mend.sql, sqlForUnits: mend.units }),
    },
  };
}

function messageOf({ standard, kind }: Deviation, units: number, differences: readonly string[]): string {
  const version = kind.version === null ? 'without migrations' : `at ${kind.version.name}`;
  if (standard.shape === null)
    return `${count(kind.units.length, 'unit')} ${version} look differently, none as most do, and the files cannot tell who is right: ${standard.reason ?? 'they could not be played'}`;
  const like =
    standard.sort === null || standard.fromFiles
      ? 'as the files say'
      : `like the other ${standard.sort.units.length.toLocaleString('en')}`;
  const verb = units === 1 ? 'does' : 'do';
  return `${count(units, 'unit')} ${version} ${verb} not look ${like}: ${listed(differences)}; a rollout stops there`;
}

function listed(differences: readonly string[]): string {
  const rest = differences.length - TOLD;
  return [...differences.slice(0, TOLD), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

/** @param first what to do with statements that there are */
export function hintOf(
  mend: Mend | null,
  first = 'Run the statements there, in their order and outside a transaction; or make a migration of the difference.',
): string {
  if (mend === null) return 'Look at one of each kind with \\d, and make them alike by a migration.';
  const { sql, byHand, loses } = mend;
  return [
    ...(sql.length > 0 ? [first] : []),
    ...(loses.length > 0 ? [`The statements throw away ${loses.join(', ')}: look at it before.`] : []),
    ...(byHand.length > 0 ? [`To be mended by hand: ${listed(byHand)}.`] : []),
  ].join(' ');
}
