import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../fixtures/faults/drift/', import.meta.url));

/** One fault of fixtures/faults/drift, with what its header says. */
export interface DriftFault {
  name: string;
  where: string;
  /** Every rule that finds it. */
  rules: string[];
  /** Words of one of these findings. */
  says: string;
  /** `yes` when the statements of the findings bring everything back. */
  mended: string;
  superuser: boolean;
  sql: string;
}

/** All faults that a server of this major version can have. */
export function driftFaults(major: number): DriftFault[] {
  return readdirSync(FOLDER)
    .sort()
    .map((file) => ({ file, text: readFileSync(`${FOLDER}${file}`, 'utf8') }))
    .filter(({ text }) => Number(headerOf(text, 'Since') ?? 0) <= major)
    .map(({ file, text }) => ({
      name: file.replace('.sql', ''),
      where: headerOf(text, 'Where') ?? '',
      rules: (headerOf(text, 'Rule') ?? '').split(', ').sort(),
      says: headerOf(text, 'Says') ?? '',
      mended: headerOf(text, 'Mended') ?? '',
      superuser: headerOf(text, 'By') === 'superuser',
      sql: text,
    }));
}

const headerOf = (text: string, name: string): string | undefined =>
  new RegExp(`^-- ${name}: (.*)$`, 'm').exec(text)?.[1];
