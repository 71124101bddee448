import { EXIT, TenantctlError } from '../../core/errors.js';
import { type FleetStatus, fleetStatus } from '../../operations/status.js';
import { fleetStatusText } from '../../render/fleet-text.js';
import { counted } from '../../core/counted.js';
import type { Call, Outcome } from '../command.js';
import type { status } from '../commands/status.js';
import { given } from '../given.js';

export default async function handle({ fleet, options }: Call<typeof status>): Promise<Outcome> {
  const data = await fleetStatus(fleet, given({ require: options.require }));
  const text: Outcome['text'] = (colors) => fleetStatusText(data, colors);
  return { data, text, ...given({ failure: options.exitCode ? failureOf(data, options) : undefined }) };
}

/** A deployment that asks for one migration does not care about old copies and tenants that leave. */
function failureOf(status: FleetStatus, { require }: { require: string | undefined }) {
  const { behind, moves, due, target } = status;
  if (behind.length > 0) return behindFailure(target);
  if (require !== undefined) return undefined;
  const copies = moves.filter((move) => move.due).map(({ tenant }) => tenant);
  if (copies.length > 0) return dueFailure(copies);
  return due.length > 0 ? retentionFailure(due.map(({ tenant }) => tenant)) : undefined;
}

function retentionFailure(tenants: readonly string[]): TenantctlError {
  const message = `The retention period of ${counted(tenants.length, 'tenant')} is over: ${tenants.slice(0, 5).join(', ')}.`;
  return new TenantctlError('RETENTION_DUE', EXIT.pending, message, {
    hint: '`tenantctl retention run --yes` deletes what is due.',
    facts: { tenants },
  });
}

function dueFailure(tenants: readonly string[]): TenantctlError {
  const message = `The grace period of ${counted(tenants.length, 'move')} is over: ${tenants.slice(0, 5).join(', ')}.`;
  return new TenantctlError('MOVES_DUE', EXIT.pending, message, {
    hint: '`tenantctl moves complete --due --yes` deletes the old copies.',
    facts: { tenants },
  });
}

/** Without a number: only the first of many are named in `behind`. */
function behindFailure(target: string | null): TenantctlError {
  return new TenantctlError('BEHIND', EXIT.pending, `Not every unit has ${target}.`, {
    hint: '`tenantctl migrate` brings them up to date; one of the contract phase that is required waits for its --contract.',
    facts: { target },
  });
}
