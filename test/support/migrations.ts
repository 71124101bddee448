import type { MigrationSettings } from '../../src/core/settings.js';
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
