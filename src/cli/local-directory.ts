import { dirname, join, resolve } from 'node:path';
import type { GlobalValues } from './command.js';
import type { Io } from './io.js';

/** The folder of the local server: beside the configuration if there is one, else here. */
export async function localDirectory(io: Io, { config }: GlobalValues): Promise<string> {
  const { findConfigFile } = await import('../config/find-file.js');
  const file = await findConfigFile(io.cwd, config);
  return join(file === null ? resolve(io.cwd) : dirname(file.path), '.tenantctl');
}
