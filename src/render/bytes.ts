const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** `812 bytes`, `1.2 kB`, `3.4 GB`: in steps of a thousand. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length);
  return `${(bytes / 1_000 ** power).toFixed(1)} ${UNITS[power - 1]}`;
}
