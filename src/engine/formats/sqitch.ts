import { readScript, refuseProblems } from './directory.js';
import type { Listing, MigrationFile, MigrationFormat, MigrationScript, ScriptFile } from './format.js';
import { sha256 } from './sections.js';
import { type PlannedChange, readPlan } from './sqitch-plan.js';

const PLAN = 'sqitch.plan';
/** psql, which Sqitch sends its scripts by, has commands of its own. */
const OF_PSQL = /^\s*\\(?!\.)\S+/m;

interface Source {
  change: PlannedChange;
  name: string;
  deploy: ScriptFile | null;
  revert: ScriptFile | null;
}

/**
 * The changes of `sqitch.plan` in its order, each with `deploy/name.sql` and its way back in `revert/name.sql`; one that was
 * reworked later has its scripts at `name@tag.sql`, and the change that reworks it is called `name+1`. Verify scripts are not run. BEGIN and COMMIT in a script are left
 * out, as all of it is one transaction here. The checksum is sha256 of the deploy script.
 */
export const sqitch: MigrationFormat = {
  name: 'sqitch',

  async recognises({ files }: Listing): Promise<boolean> {
    return files.includes(PLAN);
  },

  async read(listing: Listing): Promise<MigrationFile[]> {
    const { changes, problems } = readPlan((await listing.text(PLAN)) ?? '');
    const sources = await Promise.all(changes.map((change) => sourceOf(listing, change)));
    refuseProblems(
      listing.directory,
      [...problems.map((problem) => `${PLAN}: ${problem}`), ...sources.flatMap(problemsOf)],
      'Each change of the plan needs its deploy script, in SQL.',
    );
    return sources.map((source, index) => toFile(index + 1, source, nameIn(changes, index)));
  },
};

async function sourceOf(listing: Listing, change: PlannedChange): Promise<Source> {
  const names = [
    ...change.reworkedAt.map((tag) => `${change.name}@${tag}`),
    ...(change.reworkedAt.length > 0 ? [] : [change.name]),
  ];
  const there = await Promise.all(names.map((name) => listing.text(`deploy/${name}.sql`)));
  const found = there.findIndex((text) => text !== undefined);
  const name = names[Math.max(found, 0)] as string;
  const back = await listing.text(`revert/${name}.sql`);
  return {
    change,
    name,
    deploy: found < 0 ? null : await readScript(listing, `deploy/${name}.sql`),
    revert: back === undefined ? null : await readScript(listing, `revert/${name}.sql`),
  };
}

function problemsOf({ name, deploy, revert }: Source): string[] {
  const commands = [deploy, revert].flatMap((script) => {
    const command = OF_PSQL.exec(script?.sql ?? '')?.[0].trim();
    return script === null || command === undefined
      ? []
      : [`${script.fileName}: ${command} is a command of psql, not SQL`];
  });
  return deploy === null ? [`${name}: there is no deploy/${name}.sql`, ...commands] : commands;
}

/** Ledgers know a migration by its name, which must not change when the change is reworked later: the next one of that name is `users+1`. */
function nameIn(changes: readonly PlannedChange[], index: number): string {
  const { name } = changes[index] as PlannedChange;
  const before = changes.slice(0, index).filter((change) => change.name === name).length;
  return before === 0 ? name : `${name}+${before}`;
}

function toFile(id: number, { change, deploy, revert }: Source, name: string): MigrationFile {
  const script = scriptOf(deploy as ScriptFile);
  return {
    ...script,
    id,
    name,
    checksum: sha256(script.sql),
    down: revert === null ? null : scriptOf(revert),
    particulars: { planned: JSON.stringify(change) },
  };
}

const scriptOf = (script: ScriptFile): MigrationScript => ({
  ...script,
  source: script.sql,
  sending: 'message',
});
