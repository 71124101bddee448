// Anything a terminal might take for a command; tenants' data ends up in messages.
const CONTROL = /\p{Cc}+/gu;

/** A text from outside as a single harmless line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(CONTROL, '').trim();
}

/** `5000` → `5,000` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 unit`, `5,000 units` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
