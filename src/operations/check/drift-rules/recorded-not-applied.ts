import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import type { UnitVersion } from '../../../core/unit.js';
import type { Difference } from '../../../engine/shape/difference.js';
import { sql } from '../../../pg/sql.js';
import type { Kind } from '../drift/alike.js';
import { count, idsOf, nameFew, tenantsIn } from '../drift/names.js';
import { type Deviation, byDatabase } from '../drift/deviation.js';
import type { SeenUnit } from '../drift/survey.js';

export const notAppliedRule: Rule = {
  name: 'recorded-not-applied',
  check: 'drift',
  level: 'error',
  summary: 'A ledger says that a migration was run, and the home looks as it did before.',
  explanation:
    'A ledger was stamped by hand, a dump was restored beside a newer ledger, or another tool recorded what it did not do. All versions agree and the application fails on what is not there.',
  remedy:
    'Mark the records as rolled back, as the statement of the finding does, and run `tenantctl migrate`: it applies what is missing.',
  bad: `alter table activity detach partition activity_2027; drop table activity_2027;`,
  good: `select 'activity_2027'::regclass;`,
};

export function recordedNotApplied({ kind, sort, differences }: Deviation, version: UnitVersion): Finding[] {
  return notApplied(kind, sort.units, version, differences);
}

/** @param version the one that the units look like */
export function notApplied(
  kind: Kind,
  units: readonly SeenUnit[],
  version: UnitVersion,
  differences: readonly Difference[],
): Finding[] {
  return byDatabase(units).map((inDatabase): Finding => {
    const records = inDatabase.map(({ unit }) => unit);
    const { cluster, database } = (inDatabase[0] as SeenUnit).unit;
    const texts = differences.map(({ text }) => text);
    return {
      rule: notAppliedRule.name,
      level: notAppliedRule.level,
      where: `${cluster}/${database}, ${nameFew(idsOf(records))}`,
      message: `${count(records.length, 'unit')} ${records.length === 1 ? 'records' : 'record'} ${kind.version?.name} and ${records.length === 1 ? 'looks' : 'look'} as at ${version.name}: what came after was recorded, and not applied`,
      hint: 'Mark those records as rolled back, then run `tenantctl migrate`.',
      facts: {
        units: idsOf(records),
        tenants: tenantsIn(records),
        version: kind.version?.name ?? null,
        looksLike: version.name,
        differences: texts,
        sql: [
          unrecord(
            records.map(({ ledgerKey }) => ledgerKey),
            version.id,
          ),
        ],
      },
    };
  });
}

function unrecord(ledgers: readonly string[], after: number): string {
  return sql`update tenantctl.ledger set rolled_back_at = now(), rolled_back_by = session_user
 where unit = any(${ledgers}::text[]) and id > ${after} and rolled_back_at is null`.text();
}
