import { rememberUrlsIn } from '../core/redact.js';
import { asFailure } from './failure.js';
import { type Command, nameOf, type Outcome } from './command.js';
import { type Invocation, parseCommandLine, type Parsed } from './command-line.js';
import { type Interruption, LOOK_STOPPED, watchForInterruption } from './interruption.js';
import type { Io } from './io.js';
import { createPrinter, type Printer } from './printer.js';

/** Parses, runs and prints one command line; every way out of a command passes here. */
export async function dispatch(
  argv: readonly string[],
  io: Io,
  commands: readonly Command[],
): Promise<number> {
  // A URL in the wrong place is told as part of a mistake.
  argv.forEach(rememberUrlsIn);
  let parsed: Parsed;
  try {
    parsed = parseCommandLine(argv, io.env, commands);
  } catch (error) {
    return guessedPrinter(argv, io, commands).failure(asFailure(error));
  }
  if (parsed.kind === 'help') return printHelp(parsed.text, guessedPrinter(argv, io, commands));
  const { global, command } = parsed;
  const printer = createPrinter(io, { ...global, command: nameOf(command.spec) });
  const interruption = watchForInterruption(io, { timeout: global.timeout, looks: onlyLooks(parsed) });
  try {
    return printer.outcome(explained(await perform(parsed, io, interruption, commands), interruption));
  } catch (error) {
    return printer.failure(interruption.explain(asFailure(error)));
  } finally {
    interruption.dispose();
  }
}

/** Confirms first, then makes ready what the command needs, then calls its handler. */
async function perform(
  invocation: Invocation,
  io: Io,
  interruption: Interruption,
  commands: readonly Command[],
) {
  const { signal, cancellation } = interruption;
  const { prepare } = await import('./prepare.js');
  const prepared = await prepare(invocation, io, interruption);
  try {
    const { default: handler } = await invocation.command.load();
    signal.throwIfAborted();
    const { arguments: values, options, global } = invocation;
    const call = {
      arguments: values,
      options,
      global,
      io,
      signal,
      cancellation,
      commands,
      ...prepared.ready,
    };
    // The declaration has typed the handler's call; here its values come from that same declaration.
    return await handler(call as never);
  } finally {
    await prepared.close();
  }
}

/** Does it change nothing, as it is called here? */
function onlyLooks({ command, options }: Invocation): boolean {
  const { looks } = command.spec;
  const values = options as Record<string, unknown>;
  return looks !== undefined && !looks.unless.some((name) => values[name] === true);
}

/** A look that came to its end has found what it has found, whatever was asked of it meanwhile. */
function explained(outcome: Outcome, interruption: Interruption): Outcome {
  const whole = interruption.looks && outcome.failure?.code !== LOOK_STOPPED;
  return outcome.failure === undefined || whole
    ? outcome
    : { ...outcome, failure: interruption.explain(outcome.failure) };
}

function printHelp(text: string, printer: Printer): number {
  return printer.outcome({ data: { help: text }, text: () => text });
}

/** The line could not be read, so what it says about output is taken at face value. */
function guessedPrinter(argv: readonly string[], io: Io, commands: readonly Command[]): Printer {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  const words = flags.filter((word) => !word.startsWith('-'));
  const known = commands.find(({ spec }) => ` ${words.join(' ')} `.includes(` ${nameOf(spec)} `));
  const fromEnv = !['', '0', 'false', 'no', 'off'].includes((io.env['TENANTCTL_JSON'] ?? '').toLowerCase());
  return createPrinter(io, {
    command: known === undefined ? (words[0] ?? 'help') : nameOf(known.spec),
    json: flags.includes('--json') || fromEnv,
    verbose: flags.includes('--verbose') || flags.includes('-v'),
    noColor: flags.includes('--no-color'),
  });
}
