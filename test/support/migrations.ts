import type { MigrationSettings } from '../../src/core/settings.js';
import type { MigrationFile } from '../../src/engine/formats/format.js';
import { type Migration, loadMigrations } from '../../src/engine/ledger/migration.js';

/** The migrations of a directory, as a fleet with these settings loads them. */
export function loadFrom(directory: string, settings: Partial<MigrationSettings> = {}): Promise<Migration[]> {
  const asked: MigrationSettings = {
    directory,
    format: 'postgres-migrations',
    onForeignSchema: 'refuse',
    ...settings,
  };
  return loadMigrations(asked, 'extensions');
}

/** File 0007 of a directory, with this text and no way back. */
export const fileWith = (sql: string): MigrationFile => ({
  id: 7,
  name: '0007_step',
  fileName: '0007_step.sql',
  path: '/migrations/0007_step.sql',
  sql,
  source: sql,
  sending: 'transaction',
  checksum: '0123456789abcdef',
  down: null,
});
