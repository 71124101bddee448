import { readFileSync } from 'node:fs';
import type { Finding } from '../../../src/core/finding.js';
import type { Rule } from '../../../src/core/rule.js';
import type { RlsMode } from '../../../src/core/settings.js';
import { readMigrationFiles } from '../../../src/engine/formats/registry.js';
import { lintMigrations } from '../../../src/engine/lint/lint.js';
import type { LintSettings } from '../../../src/engine/lint/rule.js';
import { directoryOf } from '../ledger/directory.js';

export const FAULTS = new URL('../../../fixtures/faults/migrations/', import.meta.url);

export const BASE = readFileSync(new URL('base.sql', FAULTS), 'utf8');

/** A heading in an example that is told in several files. */
const HEADING = /^-- (\d{4}_\w+\.sql)$/m;

/** The files of an example, in their order: one, unless it has headings. */
export function filesOf(text: string): Record<string, string> {
  const [before = '', ...parts] = text.split(HEADING);
  if (parts.length === 0) return { '0002_example.sql': before };
  return Object.fromEntries(
    parts.flatMap((name, index) => (index % 2 === 0 ? [[name, (parts[index + 1] ?? '').trim()]] : [])),
  );
}

export function settings(rls: RlsMode = 'enforce', changes: Partial<LintSettings> = {}): LintSettings {
  return {
    adaptation: { onForeignSchema: 'refuse', extensionsSchema: 'extensions' },
    tenancy: { column: 'tenant_id', shared: [], rls },
    sharedTiers: ['pool'],
    ...changes,
  };
}

/** The findings of files, whatever they are against. */
export async function lint(files: Record<string, string>, using = settings()): Promise<Finding[]> {
  const read = await readMigrationFiles({ directory: directoryOf(files), format: 'postgres-migrations' });
  return lintMigrations(read, using);
}

/** The findings of an example behind the common base, which has a way back. */
export async function lintExample(text: string, using = settings()): Promise<Finding[]> {
  const found = await lint(
    { '0001_base.sql': BASE, 'down/0001_base.sql': '-- none', ...filesOf(text) },
    using,
  );
  return found.filter(({ where }) => !where.endsWith('0001_base.sql'));
}

/** Those with what they need to be seen. */
export const settingsFor = ({ name }: Rule): LintSettings =>
  settings(name === 'pool-table-without-policy' ? 'require' : 'enforce');
