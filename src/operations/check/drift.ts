import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';

/** Units that look alike. */
export interface ShapeGroup {
  /** Units of one kind are compared with each other: pools, schemas and databases at one version. */
  kind: string;
  units: number;
  tenants: number;
  /** A few of them. */
  examples: string[];
  /** Is it how most of them look? */
  majority: boolean;
}

/** What `check drift` gives. */
export interface DriftCheck {
  findings: Finding[];
  shapes: ShapeGroup[];
}

/** Compares the shapes of all units with each other, with the ledgers and with the files. */
export async function checkDrift(_fleet: Fleet): Promise<DriftCheck> {
  return { findings: [], shapes: [] };
}
