import { stopLocalServer } from '../../embedded/server.js';
import type { Call, Outcome } from '../command.js';
import type { devDown } from '../commands/dev.js';
import { localDirectory } from '../local-directory.js';

export default async function handle({ io, global }: Call<typeof devDown>): Promise<Outcome> {
  const stopped = await stopLocalServer(await localDirectory(io, global));
  return { data: { stopped }, text: () => (stopped ? 'stopped' : 'was not running') };
}
