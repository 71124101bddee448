import type { DriftCheck } from '../operations/check/drift.js';
import type { IsolationCheck } from '../operations/check/isolation.js';
import type { MigrationsCheck } from '../operations/check/migrations.js';
import { count, counted, oneLine } from '../render/line.js';
import type { Checked } from './check-outcome.js';

export function checkedMigrations({ findings, files }: MigrationsCheck): Checked {
  return { check: 'migrations', findings, scope: counted(files, 'file'), data: { files } };
}

export function checkedDrift({ findings, shapes, skipped }: DriftCheck): Checked {
  const units = shapes.reduce((sum, shape) => sum + shape.units, 0);
  const left = leftText(
    'left out',
    'unit',
    skipped.map(({ unit, reason }) => ({ where: unit, reason })),
  );
  const scope = `${counted(shapes.length, 'shape')} over ${counted(units, 'unit')}${left}`;
  return { check: 'drift', findings, scope, data: { shapes, skipped } };
}

export function checkedIsolation({ findings, coverage }: IsolationCheck): Checked {
  const { tables, commands, roles, probes, probed, notProbed } = coverage;
  const size = `${counted(tables, 'table')} × ${counted(commands, 'command')} × ${counted(roles, 'role')}`;
  const missing = leftText('not probed', 'place', notProbed);
  const scope = `${size}: ${count(probed)} of ${counted(probes, 'probe')} made${missing}`;
  return { check: 'isolation', findings, scope, data: { coverage } };
}

/** One of them with its reason: most have the same one. */
function leftText(word: string, noun: string, left: readonly { where: string; reason: string }[]): string {
  const [first] = left;
  if (first === undefined) return '';
  const more = left.length === 1 ? '' : '; --json names all';
  return `; ${word}: ${counted(left.length, noun)}, ${left.length === 1 ? '' : 'such as '}${first.where}: ${oneLine(first.reason)}${more}`;
}
