import { userInfo } from 'node:os';
import type { LoadedConfig } from '../config/load.js';
import type { LocalUrl } from '../config/to-settings.js';
import type { Emit } from '../core/events.js';
import type { Reach } from '../core/faults.js';
import { rememberUrl } from '../core/redact.js';
import type { FleetSettings } from '../core/settings.js';
import type { Fleet, FleetOptions } from '../engine/context.js';
import type { Cancellation } from './cancellation.js';
import type { ChangeValues, GlobalValues } from './command.js';
import type { Io } from './io.js';

export interface FleetRequest {
  config: LoadedConfig;
  io: Io;
  /** Absent for commands that change nothing. */
  change?: Pick<ChangeValues, 'actor' | 'reason' | 'ticket'>;
  emit: Emit;
  reach: Reach;
  signal: AbortSignal;
  cancellation: Cancellation;
}

/** @throws config error (exit 3) when there is no configuration, or when it is invalid */
export async function readConfig(io: Io, { config, catalog }: GlobalValues): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.js');
  return loadConfig({ cwd: io.cwd, file: config, env: io.env, flags: { catalog } });
}

/** The open fleet that a configuration describes; its local server is started where one is wanted. */
export async function connectFleet(request: FleetRequest): Promise<Fleet> {
  const { openFleet } = await import('../engine/context.js');
  return cancellable(await openFleet(await settingsOf(request), optionsOf(request)), request);
}

/** The same before its catalog is there: what `init` works on. */
export async function connectNewFleet(request: FleetRequest): Promise<Fleet> {
  const { Fleet } = await import('../engine/context.js');
  return cancellable(new Fleet(await settingsOf(request), optionsOf(request)), request);
}

function cancellable(fleet: Fleet, { cancellation }: FleetRequest): Fleet {
  cancellation.add(() => fleet.cancelStatements());
  return fleet;
}

async function settingsOf({ config, io, emit }: FleetRequest): Promise<FleetSettings> {
  const { toSettings } = await import('../config/to-settings.js');
  const { catalog } = config;
  if (catalog.kind !== 'local') return toSettings(config);
  const { localSigningKey } = await import('./local-signing-key.js');
  const localUrl = await startLocal(catalog.directory, io, emit);
  return toSettings(config, { localUrl, signingKey: await localSigningKey(catalog.directory) });
}

function optionsOf({ change, emit, reach, signal, io }: FleetRequest): FleetOptions {
  const { actor = userName(io), reason = null, ticket = null } = change ?? {};
  return { emit, reach, signal, actor: { actor, reason, ticket } };
}

/** Containers run under user ids that have no name. */
function userName({ env }: Io): string {
  const named = env['USER'] ?? env['LOGNAME'];
  if (named !== undefined && named !== '') return named;
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

/** It stays when this command ends; the next one adopts it. */
async function startLocal(directory: string, io: Io, emit: Emit): Promise<LocalUrl> {
  const { startLocalServer } = await import('../embedded/server.js');
  const server = await startLocalServer({ directory, lifetime: 'free', env: io.env });
  rememberUrl(server.adminUrl('postgres'));
  if (!server.adopted) {
    const message = `started the local PostgreSQL ${server.version}; it keeps running until: tenantctl dev down`;
    emit({ type: 'notice', level: 'info', code: 'LOCAL_SERVER_STARTED', message });
  }
  return (database) => server.adminUrl(database);
}
