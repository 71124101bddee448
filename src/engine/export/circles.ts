import type { ForeignKey } from '../rows/foreign-keys.js';

/** Groups of tables that refer to each other, directly or over others; each in order of name. */
export function circlesOf(tables: readonly string[], foreignKeys: readonly ForeignKey[]): string[][] {
  const reached = new Map(tables.map((name) => [name, reachedFrom(name, foreignKeys)]));
  const circles = new Map<string, string[]>();
  for (const name of tables) {
    const circle = tables.filter(
      (other) => other === name || (reached.get(name)?.has(other) && reached.get(other)?.has(name)),
    );
    const sorted = circle.toSorted();
    if (sorted.length > 1) circles.set(JSON.stringify(sorted), sorted);
  }
  return [...circles.values()];
}

function reachedFrom(start: string, foreignKeys: readonly ForeignKey[]): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const { child, parent } of foreignKeys) {
      if (child !== name || reached.has(parent)) continue;
      reached.add(parent);
      open.push(parent);
    }
  }
  return reached;
}
