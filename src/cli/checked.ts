import type { DriftCheck } from '../operations/check/drift.js';
import type { IsolationCheck } from '../operations/check/isolation.js';
import type { MigrationsCheck } from '../operations/check/migrations.js';
import { unseenInFiles, unseenInPlaces, unseenInUnits } from '../operations/check/unseen.js';
import { count, counted } from '../core/counted.js';
import { oneLine } from '../render/line.js';
import type { Checked } from './check-outcome.js';

export function checkedMigrations({ findings, files }: MigrationsCheck): Checked {
  const scope = counted(files, 'file');
  return { check: 'migrations', findings, scope, data: { files }, unseen: unseenInFiles({ findings }) };
}

export function checkedDrift({ findings, shapes, skipped }: DriftCheck): Checked {
  const units = shapes.reduce((sum, shape) => sum + shape.units, 0);
  const left = leftText(
    'left out',
    'unit',
    skipped.map(({ unit, reason }) => ({ where: unit, reason })),
  );
  const scope = `${counted(shapes.length, 'shape')} over ${counted(units, 'unit')}${left}`;
  const unseen = unseenInUnits({ findings, skipped });
  return { check: 'drift', findings, scope, data: { shapes, skipped }, unseen };
}

export function checkedIsolation({ findings, coverage }: IsolationCheck): Checked {
  const { tables, commands, roles, probes, probed, notProbed } = coverage;
  const size = `${counted(tables, 'table')} × ${counted(commands, 'command')} × ${counted(roles, 'role')}`;
  const missing = leftText('not probed', 'place', notProbed);
  const scope = `${size}: ${count(probed)} of ${counted(probes, 'probe')} made${missing}`;
  const unseen = unseenInPlaces({ findings, coverage });
  return { check: 'isolation', findings, scope, data: { coverage }, unseen };
}

/** One of them with its reason: most have the same one. */
function leftText(word: string, noun: string, left: readonly { where: string; reason: string }[]): string {
  const [first] = left;
  if (first === undefined) return '';
  const more = left.length === 1 ? '' : '; --json names all';
  return `; ${word}: ${counted(left.length, noun)}, ${left.length === 1 ? '' : 'such as '}${first.where}: ${oneLine(first.reason)}${more}`;
}
