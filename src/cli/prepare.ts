import type { ChangeValues } from './command.js';
import type { Invocation } from './command-line.js';
import { connectFleet, readConfig } from './context.js';
import type { Interruption } from './interruption.js';
import type { Io } from './io.js';
import { startProgress } from './progress.js';
import { confirm } from './prompt.js';
import { rehearse } from './rehearsal.js';

/** What a handler finds ready beside its arguments. */
interface Prepared {
  ready: object;
  close(): Promise<void>;
}

/**
 * Makes ready what a command has declared to need, cheapest check first: nothing is asked that a
 * missing file would make pointless, and no server is touched before the answer.
 */
export async function prepare(invocation: Invocation, io: Io, interruption: Interruption): Promise<Prepared> {
  const { signal, cancellation } = interruption;
  const { global, command } = invocation;
  const { needs, changes } = command.spec;
  const options = invocation.options as Partial<ChangeValues>;
  const reach = rehearse(options.failAt, io.env);
  const config = needs === 'nothing' ? undefined : await readConfig(io, global);
  await confirmIfNeeded(invocation, io, signal);
  const progress = await startProgress(io, global, interruption);
  const base = { config, emit: progress.emit, reach };
  if (config === undefined || needs !== 'fleet') return { ready: base, close: () => progress.close() };
  try {
    const change = changes ? { change: options as ChangeValues } : {};
    const fleet = await connectFleet({ ...base, ...change, config, io, signal, cancellation });
    return {
      ready: { ...base, fleet },
      async close() {
        await fleet.close().finally(() => progress.close());
      },
    };
  } catch (error) {
    await progress.close();
    throw error;
  }
}

async function confirmIfNeeded(
  { command, arguments: values, options, global }: Invocation,
  io: Io,
  signal: AbortSignal,
) {
  const confirmation = command.spec.confirms;
  if (confirmation === undefined || options['dryRun'] === true) return;
  if (confirmation.unless !== undefined && options[confirmation.unless] === true) return;
  if (confirmation.beside?.some((name) => options[name] === undefined || options[name] === false)) return;
  const given = options['confirm'] as string | undefined;
  const named = { ...options, ...values };
  await confirm(io, { confirmation, values: named, yes: global.yes, confirm: given, signal });
}
