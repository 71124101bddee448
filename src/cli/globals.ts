import type { OptionSpecs } from './option.js';

/** Understood by every command, before and after its name. */
export const GLOBAL_OPTIONS = {
  config: {
    type: 'string',
    short: 'c',
    value: 'file',
    path: true,
    env: 'TENANTCTL_CONFIG',
    summary: 'configuration file; otherwise looked for upwards from here',
  },
  catalog: {
    type: 'string',
    value: 'url',
    configEnv: 'TENANTCTL_CATALOG_URL',
    summary: "admin URL of the catalog's database",
  },
  json: { type: 'boolean', env: 'TENANTCTL_JSON', summary: 'print the result as one JSON document' },
  events: {
    type: 'string',
    value: 'file',
    path: true,
    env: 'TENANTCTL_EVENTS',
    summary: 'append events to a file, one JSON object a line; "-" is stderr',
  },
  quiet: {
    type: 'boolean',
    short: 'q',
    env: 'TENANTCTL_QUIET',
    summary: 'no progress, only warnings and failures',
  },
  verbose: {
    type: 'boolean',
    short: 'v',
    env: 'TENANTCTL_VERBOSE',
    summary: 'every step, and where an error came from',
  },
  noColor: { type: 'boolean', summary: 'no colours; NO_COLOR and FORCE_COLOR are respected as well' },
  // No variable for it: consent that lies around in an environment is no consent.
  yes: { type: 'boolean', short: 'y', summary: 'answer every confirmation with yes' },
  timeout: {
    type: 'duration',
    value: 'duration',
    env: 'TENANTCTL_TIMEOUT',
    summary: 'stop starting work after this time, finish what has begun, exit 11',
  },
} as const satisfies OptionSpecs;

/** Added to every command that changes something. */
export const CHANGE_OPTIONS = {
  dryRun: { type: 'boolean', summary: 'print what would be done and change nothing' },
  actor: {
    type: 'string',
    value: 'name',
    env: 'TENANTCTL_ACTOR',
    summary: 'who asked for this, for the audit log',
  },
  reason: { type: 'string', value: 'text', env: 'TENANTCTL_REASON', summary: 'why, for the audit log' },
  ticket: { type: 'string', value: 'id', env: 'TENANTCTL_TICKET', summary: 'a reference, for the audit log' },
  failAt: {
    type: 'string',
    value: 'point',
    hidden: true,
    summary: 'kill the process at a named step, to rehearse a crash',
  },
} as const satisfies OptionSpecs;

/** Added to commands that are confirmed by typing a name. */
export const CONFIRM_OPTIONS = {
  confirm: { type: 'string', value: 'id', summary: 'confirm by naming what is to be deleted' },
} as const satisfies OptionSpecs;
