import { conflictError } from '../../core/errors.js';
import { findLocalServer } from '../../embedded/server.js';
import type { Call, Outcome } from '../command.js';
import type { devUrl } from '../commands/dev.js';
import { localDirectory } from '../local-directory.js';

/** The one command that prints a password: it was asked for by name. */
export default async function handle({ io, global, options }: Call<typeof devUrl>): Promise<Outcome> {
  const server = await findLocalServer(await localDirectory(io, global));
  if (server === undefined) {
    throw conflictError('LOCAL_SERVER_DOWN', 'The local server is not running.', {
      hint: 'Start it with: tenantctl dev up',
    });
  }
  const url = options.superuser ? server.superuserUrl(options.database) : server.adminUrl(options.database);
  const { pid, version, dataDirectory } = server;
  return { data: { url, pid, version, dataDirectory }, text: () => url, unredacted: true };
}
