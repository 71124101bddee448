import type { Finding } from '../../../core/finding.js';
import type { UnitRecord } from '../../../engine/catalog/units.js';
import { count, idsOf } from './names.js';
import type { FoundState } from './states.js';

/** Statements for so many units; the next look has those for the others. */
const AT_ONCE = 100;

/**
 * The finding about an object that is out of work; none where no unit should have it at all.
 * @param marks what the comparison of shapes knows of objects: where a rollout stops as others have them at work, and which are extra
 */
export function stateFinding(
  found: FoundState,
  marks: { outOfWork: ReadonlySet<string>; extra: ReadonlySet<string> },
): Finding[] {
  const line = lineOf(found);
  const units = found.units.filter(({ id }) => !marks.extra.has(`${id} ${line}`));
  if (units.length === 0) return [];
  const stops = units.some(({ id }) => marks.outOfWork.has(`${id} ${line}`));
  return [findingOf({ ...found, units }, stops)];
}

/** The name that its line in a shape has. */
const lineOf = ({ by, relation, name }: FoundState): string =>
  ({ index: name, table: relation, part: `${relation}.${name}` })[by.of];

function findingOf(state: FoundState, stops: boolean): Finding {
  const { by, units, relation, name } = state;
  const { message, hint, level, sql } = by.tell(state);
  const statements = units.slice(0, AT_ONCE).flatMap(({ schema }) => sql(schema));
  return {
    rule: by.rule.name,
    level: stops ? 'error' : (level ?? by.rule.level),
    where: placeOf(units, by.of === 'table' && name === relation ? relation : `${relation}.${name}`),
    message: `${message}${units.length > 1 ? `, in ${count(units.length, 'unit')}` : ''}${stops ? '; a rollout stops there' : ''}`,
    hint,
    facts: {
      units: idsOf(units),
      relation,
      name,
      ...(statements.length === 0 ? {} : { sql: statements, sqlForUnits: Math.min(units.length, AT_ONCE) }),
    },
  };
}

/** `main/app_shared.tenant_acme.invoice`; where many have it, without the schema. */
function placeOf(units: readonly UnitRecord[], object: string): string {
  const { cluster, database, schema } = units[0] as UnitRecord;
  return `${cluster}/${database}.${units.length === 1 ? schema : '*'}.${object}`;
}
