import type { ForeignKey } from './foreign-keys.js';

/** The names of the tables that refer to each other in a circle with this one; it alone where there is none. */
export function circleOf(name: string, foreignKeys: readonly ForeignKey[]): Set<string> {
  const from = reached(name, (key) => [key.child, key.parent], foreignKeys);
  const to = reached(name, (key) => [key.parent, key.child], foreignKeys);
  return new Set([...from].filter((other) => to.has(other)));
}

function reached(
  name: string,
  ends: (key: ForeignKey) => [string, string],
  foreignKeys: readonly ForeignKey[],
): Set<string> {
  const found = new Set([name]);
  // A set that grows while it is gone through is gone through to its end.
  for (const one of found) for (const [near, far] of foreignKeys.map(ends)) if (near === one) found.add(far);
  return found;
}

/** Tables that refer to others before those that they refer to; those in a circle come in any order. */
export function childrenFirst<Table extends { name: string }>(
  tables: readonly Table[],
  foreignKeys: readonly ForeignKey[],
): Table[] {
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: Table[] = [];
  while (left.size > 0) {
    const referenced = new Set(
      foreignKeys
        .filter(({ child, parent }) => left.has(child) && child !== parent)
        .map(({ parent }) => parent),
    );
    const free = [...left.values()].filter(({ name }) => !referenced.has(name));
    for (const table of free.length > 0 ? free : [...left.values()].slice(0, 1)) {
      ordered.push(table);
      left.delete(table.name);
    }
  }
  return ordered;
}
