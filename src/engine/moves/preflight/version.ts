import type { Tier } from '../../../core/tier.js';
import { type LedgerEntry, newestOf, readLedger } from '../../ledger/entries.js';
import { migrationsFor } from '../../ledger/migration.js';
import type { Destination, Inspected, MoveFinding, PreflightContext, PreflightRule } from './finding.js';

/** Both homes must be at one migration, from the same files. A home that is still to be made is made from the files. */
export const versions: PreflightRule = async (context) => {
  const { source, target } = context;
  const here = await readLedger(source.session, source.unit);
  const there = target === null ? null : await readLedger(target.session, target.unit);
  const unfinished = [
    ...unfinishedIn(source, here),
    ...(target === null || there === null ? [] : unfinishedIn(target, there)),
  ];
  if (unfinished.length > 0) return unfinished;
  return there === null ? missingFiles(context, here) : differences(context, here, there);
};

function unfinishedIn({ unit }: Inspected, ledger: readonly LedgerEntry[]): MoveFinding[] {
  return ledger
    .filter(({ state }) => state !== 'applied')
    .map(({ name }) => ({
      rule: 'migration-unfinished',
      level: 'error',
      where: unit.id,
      message: `Migration ${name} of ${unit.id} has begun and has not come to its end, so its tables are between two versions.`,
      hint: `tenantctl migrate --select unit=${unit.id}`,
    }));
}

function missingFiles(context: PreflightContext, here: readonly LedgerEntry[]): MoveFinding[] {
  const { source, goal, migrations } = context;
  const files = new Map(migrationsFor(migrations, goal.unit.tier).map(({ id, checksum }) => [id, checksum]));
  return inBothTiers(context, here)
    .filter(({ id, checksum }) => files.get(id) !== checksum)
    .map(({ id, name }) => ({
      rule: 'file-differs',
      level: 'error',
      where: name,
      message: files.has(id)
        ? `File ${name} was changed after ${source.unit.id} had it, so the new home would be made differently.`
        : `There is no file ${name}, which ${source.unit.id} has, so the new home cannot be made like it.`,
      hint: 'Put the file back as it was: update this checkout, or correct migrations.directory in the configuration.',
    }));
}

function differences(context: PreflightContext, ...ledgers: LedgerEntry[][]): MoveFinding[] {
  const { source, goal } = context;
  const [here = [], there = []] = ledgers.map((ledger) => inBothTiers(context, ledger));
  const [mine, theirs] = [newestOf(here), newestOf(there)];
  if (mine?.id !== theirs?.id) return [versionDiffers(source, goal, mine, theirs)];
  const checksums = new Map(there.map(({ id, checksum }) => [id, checksum]));
  const other = here.find(({ id, checksum }) => checksums.get(id) !== checksum);
  return other === undefined ? [] : [historyDiffers(source, goal, other.name)];
}

/** A file for one of the two tiers only is no difference. What there is no file for is. */
function inBothTiers(
  { source, goal, migrations }: PreflightContext,
  ledger: readonly LedgerEntry[],
): LedgerEntry[] {
  const both = (tiers: readonly Tier[]): boolean =>
    tiers.includes(source.unit.tier) && tiers.includes(goal.unit.tier);
  const forOne = new Set(migrations.filter(({ directives }) => !both(directives.tiers)).map(({ id }) => id));
  return ledger.filter(({ id }) => !forOne.has(id));
}

function versionDiffers(
  { unit }: Inspected,
  goal: Destination,
  mine: LedgerEntry | null,
  theirs: LedgerEntry | null,
): MoveFinding {
  const behind = (mine?.id ?? 0) < (theirs?.id ?? 0) ? unit : goal.unit;
  return {
    rule: 'version-differs',
    level: 'error',
    where: behind.id,
    message: `${unit.id} is at migration ${mine?.name ?? 'none'} and ${goal.unit.id} at ${theirs?.name ?? 'none'}; rows are moved between homes of one version.`,
    hint: `tenantctl migrate --select unit=${behind.id}`,
  };
}

function historyDiffers({ unit }: Inspected, goal: Destination, name: string): MoveFinding {
  return {
    rule: 'history-differs',
    level: 'error',
    where: goal.unit.id,
    message: `${unit.id} and ${goal.unit.id} did not have the same migration ${name}: its text was another one.`,
    hint: 'Compare the two homes (`tenantctl runs explain` says whose shape differs) and bring them together with a new migration.',
  };
}
