/** Enough of the id of a run or a move for a person. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
