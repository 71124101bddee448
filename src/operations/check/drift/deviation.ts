import { groupBy } from '../../../core/group-by.js';
import type { Difference } from '../../../engine/shape/difference.js';
import type { Shape } from '../../../engine/shape/shape.js';
import type { Kind, Sort } from './alike.js';
import type { Standard } from './reference.js';
import type { SeenUnit } from './survey.js';

/** A sort of units that look otherwise than they should. */
export interface Deviation {
  kind: Kind;
  sort: Sort;
  standard: Standard;
  /** Both are null where nobody knows how they should look. */
  expected: Shape | null;
  actual: Shape | null;
  differences: Difference[];
}

/** Units of one place: statements are run there. */
export function byDatabase(units: readonly SeenUnit[]): SeenUnit[][] {
  return [...groupBy(units, ({ unit }) => `${unit.cluster}/${unit.database}`).values()];
}
