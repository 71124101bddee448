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

function missingFiles(
  { source, goal, migrations }: PreflightContext,
  here: readonly LedgerEntry[],
): MoveFinding[] {
  const files = new Map(migrationsFor(migrations, goal.unit.tier).map((file) => [file.id, file]));
  const elsewhere = new Set(migrations.map(({ id }) => id));
  return here
    .filter(
      ({ id, checksum }) => files.get(id)?.checksum !== checksum && !(elsewhere.has(id) && !files.has(id)),
    )
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

/** A file for one of the two tiers only is no difference. */
function differences(
  { source, goal, migrations }: PreflightContext,
  ...ledgers: LedgerEntry[][]
): MoveFinding[] {
  const isCommon = new Map(
    migrations.map(({ id, directives }) => [
      id,
      directives.tiers.includes(source.unit.tier) && directives.tiers.includes(goal.unit.tier),
    ]),
  );
  const [here = [], there = []] = ledgers.map((ledger) =>
    ledger.filter(({ id }) => isCommon.get(id) !== false),
  );
  const [mine, theirs] = [newestOf(here), newestOf(there)];
  if (mine?.id !== theirs?.id) return [versionDiffers(source, goal, mine, theirs)];
  const checksums = new Map(there.map(({ id, checksum }) => [id, checksum]));
  const other = here.find(({ id, checksum }) => checksums.get(id) !== checksum);
  return other === undefined ? [] : [historyDiffers(source, goal, other.name)];
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
