/** A node that others refer to. */
export interface Node<T> {
  item: T;
  refersTo: readonly T[];
}

/**
 * Sorts items so that each comes after those it refers to. Items that refer to each other in a circle stand in one
 * group (Tarjan's strongly connected components, which come out in that order by themselves).
 */
export function groupsInOrder<T>(nodes: readonly Node<T>[]): T[][] {
  const byItem = new Map(nodes.map((node) => [node.item, node]));
  const order = new Map<T, number>();
  const lowest = new Map<T, number>();
  const open: T[] = [];
  const groups: T[][] = [];

  function visit(item: T): number {
    const number = order.size;
    order.set(item, number);
    lowest.set(item, number);
    open.push(item);
    for (const next of byItem.get(item)?.refersTo ?? []) reach(item, next);
    if (lowest.get(item) === number) groups.push(open.splice(open.indexOf(item)));
    return lowest.get(item) as number;
  }

  function reach(item: T, next: T): void {
    if (!byItem.has(next)) return;
    if (!order.has(next)) lower(item, visit(next));
    else if (open.includes(next)) lower(item, order.get(next) as number);
  }

  function lower(item: T, number: number): void {
    lowest.set(item, Math.min(lowest.get(item) as number, number));
  }

  for (const { item } of nodes) if (!order.has(item)) visit(item);
  return groups;
}
