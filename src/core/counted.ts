/** `5000` → `5,000` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 unit`, `5,000 units`, `2 copies` */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}
