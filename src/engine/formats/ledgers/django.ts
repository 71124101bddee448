import type { MigrationFile } from '../format.js';
import { textOf } from './judging.js';
import { type MirrorChange, type MirrorRow, NOW, type ToolLedger } from './ledger.js';
import { type ProgramNames, afterNumber, judgePrograms } from './programs.js';

const names: ProgramNames = {
  nameOf: (file) => /^[A-Za-z_]\w*\.\w+$/.exec(afterNumber(file))?.[0] ?? null,
  before(recorded, named) {
    const [first] = ofApp(recorded, named);
    return named.length > 0 && (first === undefined || recorded < first);
  },
  newer: (recorded, named) => ofApp(recorded, named).every((name) => recorded > name),
  remedies: {
    gap: 'Apply it with `manage.py migrate`, which runs what is missing wherever it stands',
    forget: 'delete its row from django_migrations',
    bring: (name) => `\`manage.py migrate ${name.replace('.', ' ')}\``,
  },
};

/** The files' names of the app that is recorded, in order. */
function ofApp(recorded: string, named: readonly MigrationFile[]): string[] {
  const app = recorded.slice(0, recorded.indexOf('.') + 1);
  return named.flatMap((file) => names.nameOf(file) ?? []).filter((name) => name.startsWith(app));
}

/**
 * Django: a row for each migration of each app. Its migrations are programs; a file of ours is the one whose app and name follow
 * our number, `0003_invoicing.0001_initial.sql`. As apps have no order among each other, what has no file is told by its
 * app: the first file stands for all migrations of apps that no file is of, and the first file of an app for those before
 * it. No checksums and no lock.
 */
export const djangoLedger: ToolLedger = {
  tool: 'django',
  table: 'django_migrations',
  schema: null,
  marks: ['id', 'app', 'name', 'applied'],
  lacks: [],
  columns: ['app', 'name'],
  filled: [],
  order: ['id'],
  lockKey: () => null,
  judge: (rows, files) =>
    judgePrograms(
      rows.map((row) => `${textOf(row, 'app')}.${textOf(row, 'name')}`),
      files,
      names,
    ),
  mirror: {
    applied: (file) => changeOf(file, ([app, name]) => ({ insert: [rowOf({ app, name, applied: NOW })] })),
    takenBack: (file) => changeOf(file, ([app, name]) => ({ remove: [rowOf({ app, name })] })),
  },
};

const rowOf = (values: MirrorRow['values']): MirrorRow => ({ table: null, values });

function changeOf(
  file: MigrationFile,
  change: (parts: [app: string, name: string]) => Partial<MirrorChange>,
): MirrorChange | null {
  const [app, name] = names.nameOf(file)?.split('.') ?? [];
  return app === undefined || name === undefined ? null : { remove: [], insert: [], ...change([app, name]) };
}
