import type { DriftCheck } from '../operations/check/drift.js';
import type { IsolationCheck } from '../operations/check/isolation.js';
import type { MigrationsCheck } from '../operations/check/migrations.js';
import { count, counted } from '../render/line.js';
import type { Checked } from './check-outcome.js';

export function checkedMigrations({ findings, files }: MigrationsCheck): Checked {
  return { check: 'migrations', findings, scope: counted(files, 'file'), data: { files } };
}

export function checkedDrift({ findings, shapes, skipped }: DriftCheck): Checked {
  const units = shapes.reduce((sum, shape) => sum + shape.units, 0);
  const left =
    skipped.length === 0
      ? ''
      : `; left out: ${counted(skipped.length, 'unit')}, which --json names with the reason`;
  const scope = `${counted(shapes.length, 'shape')} over ${counted(units, 'unit')}${left}`;
  return { check: 'drift', findings, scope, data: { shapes, skipped } };
}

export function checkedIsolation({ findings, coverage }: IsolationCheck): Checked {
  const { tables, commands, roles, probes, probed, notProbed } = coverage;
  const size = `${counted(tables, 'table')} × ${counted(commands, 'command')} × ${counted(roles, 'role')}`;
  const missing =
    notProbed.length === 0
      ? ''
      : `; not probed: ${counted(notProbed.length, 'place')}, which --json names with the reason`;
  const scope = `${size}: ${count(probed)} of ${counted(probes, 'probe')} made${missing}`;
  return { check: 'isolation', findings, scope, data: { coverage } };
}
