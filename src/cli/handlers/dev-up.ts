import { startLocalServer } from '../../embedded/server.js';
import type { Call, Outcome } from '../command.js';
import type { devUp } from '../commands/dev.js';
import { localDirectory } from '../local-directory.js';
import { serverFacts, serverText } from '../server-facts.js';

export default async function handle({ io, global }: Call<typeof devUp>): Promise<Outcome> {
  const directory = await localDirectory(io, global);
  const server = await startLocalServer({ directory, lifetime: 'free', env: io.env });
  const headline = server.adopted ? 'is running already' : 'started';
  return { data: serverFacts(server), text: () => serverText(headline, server) };
}
