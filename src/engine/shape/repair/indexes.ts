import { type Change, type Mending, ORDER, type Step, quote } from './change.js';
import { concurrently } from './constraints.js';

/** An index that is missing, extra, or otherwise than it should be. */
export const mendIndex: Mending = (change) => {
  const { expected, actual, shapes } = change;
  const table = indexedTable((expected ?? actual)?.definition ?? '');
  // A constraint of its name is told, and mended, as such.
  if (shapes.find('constraint', `${table}.${change.line.name}`) !== undefined) return { order: 0, sql: [] };
  const parent = shapes.parentOf(table);
  // Its like on the partitioned table brings it along, and takes it away.
  if (parent !== null) {
    if (expected !== undefined && actual !== undefined) return null;
    const which = actual === undefined ? 'missing' : 'extra';
    return shapes.oddIndexes(which).some((definition) => indexedTable(definition) === parent)
      ? { order: 0, sql: [] }
      : null;
  }
  if (shapes.isPartitioned(table)) return onPartitioned(change);
  const sql = [
    ...(actual === undefined ? [] : [`drop index concurrently ${quote(actual.name)}`]),
    ...(expected === undefined ? [] : [concurrently(expected.definition)]),
  ];
  return { order: expected === undefined ? ORDER.dropOthers : ORDER.indexes, sql };
};

/** Not beside the applications' work: a partitioned table does not know how. */
function onPartitioned({ expected, actual }: Change): Step | null {
  if (actual !== undefined) return expected === undefined ? dropPlainly(actual.name) : null;
  return expected === undefined
    ? null
    : { order: ORDER.indexes, sql: [expected.definition.replace(' ON ONLY ', ' ON ')] };
}

const dropPlainly = (name: string): Step => ({ order: ORDER.dropOthers, sql: [`drop index ${quote(name)}`] });

function indexedTable(definition: string): string {
  const name = / ON (?:ONLY )?("(?:[^"]|"")+"|[^ ]+) USING /.exec(definition)?.[1] ?? '';
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
