import type { LoadedConfig } from '../config/load.js';
import { toSettings } from '../config/to-settings.js';
import type { FleetSettings } from '../core/settings.js';

/** The settings for commands that ask no database: the local server is not started, and its URL is nobody's. */
export function settingsWithoutServer(config: LoadedConfig): FleetSettings {
  return toSettings(config, { localUrl: (database) => `postgresql://localhost/${database}` });
}
