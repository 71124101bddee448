import { toSettings } from '../../config/to-settings.js';
import type { Call, Outcome } from '../command.js';
import type { configCheck } from '../commands/config.js';

/** That there is a call at all means that the file is valid: it was read before. */
export default function handle({ config }: Call<typeof configCheck>): Promise<Outcome> {
  const { clusters, plans, migrations } = toSettings(config, { localUrl: placeholder });
  const data = {
    file: config.file,
    catalog: config.catalog.kind,
    clusters: Object.keys(clusters),
    plans: Object.keys(plans),
    migrations: migrations.directory,
  };
  return Promise.resolve({
    data,
    text: (colors) => `${colors.green('ok')} ${config.file ?? 'environment and flags'}`,
  });
}

/** Checking starts no server; any URL will do for what is only counted. */
function placeholder(database: string): string {
  return `postgresql://localhost/${database}`;
}
