import { FAULT_POINTS } from '../../core/faults.js';
import { table } from '../../render/table.js';
import type { Outcome } from '../command.js';

export default function handle(): Promise<Outcome> {
  const points = Object.entries(FAULT_POINTS).map(([point, leaves]) => ({
    point,
    verb: point.split('.')[0] as string,
    leaves,
  }));
  const rows = points.map(({ point, leaves }) => [point, leaves]);
  return Promise.resolve({
    data: { points },
    text: () => table(['point', 'what a crash there leaves'], rows),
  });
}
