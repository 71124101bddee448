import { createHash } from 'node:crypto';
import type { MigrationFile } from '../format.js';
import type { PlannedChange } from '../sqitch-plan.js';
import { type Recorded, editedProblem, judgeSet, problem, textOf, textsOf } from './judging.js';
import type {
  Judgement,
  LedgerProblem,
  LedgerRow,
  MirrorChange,
  MirrorRow,
  MirrorValue,
  ToolLedger,
} from './ledger.js';

interface Entry extends Recorded {
  id: string;
  hash: string | null;
}

/** Whom Sqitch names as the one who deployed. */
const COMMITTER = { committer_name: 'tenantctl', committer_email: 'tenantctl@localhost' };

/**
 * Sqitch: a registry of five tables in a schema of its own; `changes` has a row for each change that is deployed, by its id of
 * the plan, with sha1 of the deploy script. Changes of other projects in the same registry are none of ours.
 */
export const sqitchLedger: ToolLedger = {
  tool: 'sqitch',
  table: 'changes',
  schema: 'sqitch',
  marks: ['change_id', 'script_hash', 'change', 'project', 'committed_at', 'planner_name'],
  lacks: [],
  columns: ['change_id', 'script_hash', 'change', 'project'],
  filled: [],
  order: ['committed_at'],
  lockKey: () => 75474063n,
  judge,
  mirror: { applied: deployed, takenBack: reverted },
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const projects = new Set(files.map((file) => plannedOf(file).project));
  const own = rows.filter((row) => files.length === 0 || projects.has(textOf(row, 'project') ?? ''));
  const entries = toEntries(own, files);
  const { problems, ...rest } = judgeSet(entries, files, {
    gap: 'Deploy it with `sqitch rebase`, or move it behind what is deployed in sqitch.plan',
    forget: 'say `sqitch revert --to` the change before it',
  });
  const edited = entries.flatMap(({ file, hash }) =>
    file === undefined || hash === null || hashesOf(file).includes(hash) ? [] : [file],
  );
  return {
    ...rest,
    problems: [
      ...problems,
      ...replanned(entries),
      ...editedProblem(edited, 'set `script_hash` in changes to sha1 of the deploy script'),
    ],
  };
}

function toEntries(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Entry[] {
  const byId = new Map(files.map((file) => [plannedOf(file).id, file]));
  const found = rows.map((row) => byId.get(textOf(row, 'change_id') ?? '') ?? onlyOf(files, row));
  const last = found.indexOf(files.at(-1));
  return rows.map((row, index) => ({
    id: textOf(row, 'change_id') ?? '',
    label: textOf(row, 'change') ?? '',
    hash: textOf(row, 'script_hash'),
    file: found[index],
    newer: files.length === 0 || (last >= 0 && index > last),
  }));
}

/** The one change of that name: its line in the plan, or one before it, has been changed since. */
function onlyOf(files: readonly MigrationFile[], row: LedgerRow): MigrationFile | undefined {
  const alike = files.filter((file) => plannedOf(file).name === textOf(row, 'change'));
  return alike.length === 1 ? alike[0] : undefined;
}

function replanned(entries: readonly Entry[]): LedgerProblem[] {
  const changed = entries.filter(({ id, file }) => file !== undefined && plannedOf(file).id !== id);
  return problem(
    'edited',
    changed.map(({ label }) => label),
    {
      message: (names) =>
        `${names}: the plan says something else of it, or of a change before it, than when it was deployed`,
      hint: 'Restore sqitch.plan from your version control: Sqitch itself knows a change by all that the plan says; then adopt again.',
    },
  );
}

const hashesOf = (file: MigrationFile): string[] =>
  textsOf(file).map((text) => createHash('sha1').update(text, 'utf8').digest('hex'));

const plannedOf = ({ particulars }: MigrationFile): PlannedChange =>
  JSON.parse(String(particulars?.['planned'])) as PlannedChange;

/** What `sqitch deploy` writes; null where the change needs one of another project, whose id we cannot tell. */
function deployed(file: MigrationFile): MirrorChange | null {
  const change = plannedOf(file);
  const { requires, conflicts, tags } = change;
  if (requires.some(({ id }) => id === null)) return null;
  const link = (type: string, dependency: string, dependency_id: string | null): MirrorRow => ({
    table: 'dependencies',
    values: { change_id: change.id, type, dependency, dependency_id },
  });
  return {
    remove: [],
    insert: [
      {
        table: null,
        values: { ...nameOf(change), ...origin(change), script_hash: hashesOf(file)[0] ?? null },
      },
      ...requires.map(({ name, id }) => link('require', name, id)),
      ...conflicts.map((name) => link('conflict', name, null)),
      ...tags.map((tag) => ({
        table: 'tags',
        values: {
          tag_id: tag.id,
          tag: `@${tag.name}`,
          project: change.project,
          change_id: change.id,
          ...origin(tag),
        },
      })),
      event('deploy', change),
    ],
  };
}

/** What `sqitch revert` leaves. */
function reverted(file: MigrationFile): MirrorChange {
  const change = plannedOf(file);
  const values = { change_id: change.id };
  return {
    remove: [
      { table: 'tags', values },
      { table: 'dependencies', values },
      { table: null, values },
    ],
    insert: [event('revert', change)],
  };
}

function event(kind: 'deploy' | 'revert', change: PlannedChange): MirrorRow {
  return {
    table: 'events',
    values: {
      event: kind,
      ...nameOf(change),
      ...origin(change),
      requires: arrayOf(change.requires.map(({ name }) => name)),
      conflicts: arrayOf(change.conflicts),
      tags: arrayOf(change.tags.map(({ name }) => `@${name}`)),
    },
  };
}

const nameOf = ({ id, name, project }: PlannedChange) => ({ change_id: id, change: name, project });

function origin(
  planned: Pick<PlannedChange, 'note' | 'at' | 'planner' | 'email'>,
): Record<string, MirrorValue> {
  const { note, at, planner, email } = planned;
  return { note, planned_at: at, planner_name: planner, planner_email: email, ...COMMITTER };
}

/** As PostgreSQL reads an array of text. */
const arrayOf = (names: readonly string[]): string =>
  `{${names.map((name) => JSON.stringify(name)).join(',')}}`;
