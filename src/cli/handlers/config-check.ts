import type { Call, Outcome } from '../command.js';
import type { configCheck } from '../commands/config.js';
import { settingsWithoutServer } from '../settings-without-server.js';

/** That there is a call at all means that the file is valid: it was read before. */
export default function handle({ config }: Call<typeof configCheck>): Promise<Outcome> {
  const { clusters, plans, migrations } = settingsWithoutServer(config);
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
