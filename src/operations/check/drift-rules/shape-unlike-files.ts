import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import type { Fleet } from '../../../engine/context.js';
import { differencesOf, isOutOfWork } from '../../../engine/shape/difference.js';
import type { Kind } from '../drift/alike.js';
import type { Earlier } from '../drift/earlier.js';
import { mendingOf } from '../drift/mending.js';
import { count, idsOf, nameFew, tenantsIn } from '../drift/names.js';
import type { Standard, Standards } from '../drift/reference.js';
import { byDatabase } from '../drift/deviation.js';
import type { SeenUnit } from '../drift/survey.js';
import { notApplied } from './recorded-not-applied.js';
import { hintOf } from './shape-differs.js';

export const shapeUnlikeFiles: Rule = {
  name: 'shape-unlike-files',
  check: 'drift',
  level: 'warning',
  summary:
    'All units of a kind agree, and no migration made what they have: the next home that is made lacks it.',
  explanation:
    'An index that was made by hand in the only pool, a column that a job added everywhere, a partition: the fleet has it, the files do not. A new tenant, a promoted one and a restored one are made from the files and look otherwise. What the files make is known from an earlier run, or found by playing them on an empty schema in a transaction that is rolled back.',
  remedy: 'Make a migration of it (CREATE … IF NOT EXISTS where it is there already), or take it away.',
  bad: 'create index by_hand_idx on invoice (issued_on);',
  good: 'select 1;',
};

const TAKE_OVER =
  'Make a migration of it, so that new homes have it too; or take it back with the statements, in their order and outside a transaction.';

/** What the units that stand for right have other than the files make. */
export async function unlikeFiles(
  fleet: Fleet,
  standards: Standards,
  kind: Kind,
  { files, sort, fromFiles }: Standard,
  earlier: Earlier,
): Promise<Finding[]> {
  if (files === null || fromFiles || sort === null) return [];
  const actual = await standards.read(sort.units[0] as SeenUnit);
  if (actual === null) return [];
  const differences = differencesOf(files, actual).filter((difference) => !isOutOfWork(difference));
  if (differences.length === 0) return [];
  const version = await earlier.find(kind, actual.fingerprint);
  if (version !== null) return notApplied(kind, sort.units, version, differences);
  const texts = differences.map(({ text }) => text);
  const findings: Finding[] = [];
  for (const units of byDatabase(sort.units)) {
    const mend = await mendingOf(fleet, units, files, actual);
    const records = units.map(({ unit }) => unit);
    const { cluster, database } = (units[0] as SeenUnit).unit;
    findings.push({
      rule: shapeUnlikeFiles.name,
      level: shapeUnlikeFiles.level,
      where: `${cluster}/${database}, ${nameFew(idsOf(records))}`,
      message: `${count(units.length, 'unit')} at ${kind.version?.name ?? 'no migration'} ${units.length === 1 ? 'does' : 'do'} not look as the files say: ${texts.join(', ')}; a home that is made now differs`,
      hint: hintOf(mend, TAKE_OVER),
      facts: {
        units: idsOf(records),
        tenants: tenantsIn(records),
        version: kind.version?.name ?? null,
        differences: texts,
        byHand: mend.byHand,
        loses: mend.loses,
        ...(mend.sql.length === 0 ? {} : { sql: mend.sql, sqlForUnits: mend.units }),
      },
    });
  }
  return findings;
}
