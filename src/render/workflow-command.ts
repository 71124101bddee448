import { oneLine } from './line.js';

export type AnnotationLevel = 'error' | 'warning' | 'notice';

/**
 * An annotation as GitHub's runner reads it: the command stands at the beginning of the line, and no value can end it.
 * @param properties `file`, `line`, `title`; those without a value are left out
 */
export function workflowCommand(
  level: AnnotationLevel,
  properties: Record<string, string | number | undefined>,
  message: string,
): string {
  const given = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  return `::${level} ${given.join(',')}::${escapeData(message)}`;
}

/** An annotation on a file that is not in the repository would point nowhere. */
export function isInside(file: string | null | undefined): file is string {
  return typeof file === 'string' && !file.startsWith('/') && !/^[A-Za-z]:|^\.\.[\\/]/.test(file);
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(oneLine(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
