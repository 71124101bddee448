/**
 * Compares two of Flyway's versions, such as `1.2` and `1.10`: part by part as numbers, and what one lacks counts as 0.
 * Negative when the first one is older.
 */
export function compareVersions(a: string, b: string): number {
  const [these, those] = [a.split('.'), b.split('.')];
  for (let n = 0; n < Math.max(these.length, those.length); n += 1) {
    const difference = BigInt(these[n] ?? 0) - BigInt(those[n] ?? 0);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
