import { findLocalServer } from '../../embedded/server.js';
import type { Call, Outcome } from '../command.js';
import type { devStatus } from '../commands/dev.js';
import { localDirectory } from '../local-directory.js';
import { serverFacts, serverText } from '../server-facts.js';

export default async function handle({ io, global }: Call<typeof devStatus>): Promise<Outcome> {
  const server = await findLocalServer(await localDirectory(io, global));
  if (server !== undefined)
    return { data: serverFacts(server), text: () => serverText('is running', server) };
  const nothing = { running: false, url: null, pid: null, version: null, dataDirectory: null };
  return { data: nothing, text: () => 'not running; start it with: tenantctl dev up' };
}
