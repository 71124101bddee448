import { createInterface } from 'node:readline/promises';
import { EXIT, TenantctlError, conflictError, usageError } from '../core/errors.js';
import type { Confirmation } from './command.js';
import { canAsk, type Io } from './io.js';

interface Request {
  confirmation: Confirmation;
  /** Values of arguments and options by name. */
  values: Record<string, unknown>;
  yes: boolean;
  /** The value of `--confirm`. */
  confirm: string | undefined;
  signal: AbortSignal;
}

/**
 * Lets a command that changes a lot go on, or stops it before it has begun.
 * @throws usage error `CONFIRMATION_NEEDED` or `CONFIRMATION_WRONG` (exit 2); conflict `DECLINED` (exit 5);
 *   `INTERRUPTED` (exit 130) after Ctrl-C at the question
 */
export async function confirm(io: Io, request: Request): Promise<void> {
  const expected = expectedText(request);
  if (request.confirm !== undefined) return compare(request.confirm, expected);
  if (request.yes) return;
  if (!canAsk(io)) throw cannotAsk(expected);
  const question = fillIn(request.confirmation.question, request.values);
  const how = expected === undefined ? '[y/N]' : `Type ${expected} to confirm:`;
  const answer = await ask(io, `${question} ${how} `, request.signal);
  const agreed = expected === undefined ? /^y(es)?$/i.test(answer) : answer === expected;
  if (!agreed) throw conflictError('DECLINED', 'Not confirmed; nothing was changed.');
}

function expectedText({ confirmation, values }: Request): string | undefined {
  const { typed, word } = confirmation;
  return typed === undefined ? word : String(values[typed]);
}

/** A wrong name is refused even beside `--yes`: it means that the wrong thing is about to be deleted. */
function compare(given: string, expected: string | undefined): void {
  if (given === expected) return;
  throw usageError(
    'CONFIRMATION_WRONG',
    `--confirm ${given} does not name ${expected}; nothing was changed.`,
    {
      hint: `If ${expected} is the one that is meant, write --confirm ${expected}; --dry-run shows what would be done.`,
      facts: { option: '--confirm' },
    },
  );
}

function cannotAsk(expected: string | undefined) {
  const flag = expected === undefined ? '--yes' : `--yes or --confirm ${expected}`;
  return usageError(
    'CONFIRMATION_NEEDED',
    `This asks for a confirmation and nobody can be asked: add ${flag}.`,
    {
      hint: 'Nothing was changed. --dry-run shows what would be done.',
      facts: { flag: '--yes' },
    },
  );
}

async function ask(io: Io, text: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // At the end of input readline leaves the question open for ever; closing it means no.
  const closed = new Promise<string>((resolve, reject) => {
    // While it reads keys, Ctrl-C is one of them and no signal.
    terminal.once('SIGINT', () => reject(interruptedHere()));
    terminal.once('close', () => resolve(''));
  });
  try {
    return (await Promise.race([terminal.question(text, { signal }), closed])).trim();
  } finally {
    terminal.close();
  }
}

function interruptedHere(): TenantctlError {
  return new TenantctlError(
    'INTERRUPTED',
    EXIT.interrupted,
    'Interrupted at the question; nothing was changed.',
    { hint: 'The same command asks again; --dry-run shows what would be done.' },
  );
}

function fillIn(text: string, values: Record<string, unknown>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
