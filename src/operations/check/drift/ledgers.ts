import { groupBy } from '../../../core/group-by.js';
import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import type { LedgerEntry } from '../../../engine/ledger/entries.js';
import { type Migration, migrationsFor } from '../../../engine/ledger/migration.js';
import { idsOf, whereOf } from './names.js';
import type { SeenUnit } from './survey.js';

/** What a rule about ledgers looks at. */
export interface Ledgers {
  seen: readonly SeenUnit[];
  /** The files that a unit should have, by number. */
  filesOf(seen: SeenUnit): ReadonlyMap<number, Migration>;
}

export interface LedgerRule {
  rule: Rule;
  look(ledgers: Ledgers): Finding[];
}

export function ledgersOf(seen: readonly SeenUnit[], migrations: readonly Migration[]): Ledgers {
  const byTier = new Map<string, ReadonlyMap<number, Migration>>();
  return {
    seen,
    filesOf({ unit: { tier } }) {
      const known =
        byTier.get(tier) ?? new Map(migrationsFor(migrations, tier).map((file) => [file.id, file]));
      byTier.set(tier, known);
      return known;
    },
  };
}

/** One migration in the units where something is so. */
export interface InUnits<Detail> {
  entry: Detail;
  units: SeenUnit[];
}

/** What `pick` finds in ledgers, by migration. Thousands of units share a few ledgers: each is looked at once. */
export function inUnits<Detail extends { id: number; name: string }>(
  { seen, filesOf }: Ledgers,
  pick: (ledger: readonly LedgerEntry[], files: ReadonlyMap<number, Migration>, seen: SeenUnit) => Detail[],
): InUnits<Detail>[] {
  const found = [...groupBy(seen, (one) => one.ledger).values()].flatMap((sharing) =>
    [...groupBy(sharing, filesOf)].flatMap(([files, units]) =>
      pick((units[0] as SeenUnit).ledger, files, units[0] as SeenUnit).map((entry) => ({ entry, units })),
    ),
  );
  return [...groupBy(found, ({ entry }) => `${entry.id} ${entry.name}`).values()].map((same) => ({
    entry: (same[0] as InUnits<Detail>).entry,
    units: same.flatMap(({ units }) => units),
  }));
}

/** The finding about one migration in some units. */
export function ledgerFinding(
  rule: Rule,
  { seen }: Ledgers,
  units: readonly SeenUnit[],
  migration: string,
  told: Pick<Finding, 'message' | 'hint'> & Partial<Pick<Finding, 'facts'>>,
): Finding {
  const records = units.map(({ unit }) => unit);
  return {
    rule: rule.name,
    level: rule.level,
    where: `${whereOf(records, seen.length)}, ${migration}`,
    message: told.message,
    hint: told.hint,
    facts: { units: idsOf(records), migration, ...told.facts },
  };
}
