import path from 'node:path';
import type { LoadedConfig } from '../config/load.js';
import type { Io } from './io.js';

const NAME = 'audit-checkpoints.ndjson';

/** The checkpoint file: as named, or the one beside the configuration. */
export function checkpointPath(io: Io, { root }: LoadedConfig, given: string | undefined): string {
  return given === undefined ? path.join(root, NAME) : path.resolve(io.cwd, given);
}
