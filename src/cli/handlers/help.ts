import { usageError } from '../../core/errors.js';
import { type Call, type Command, nameOf, type Outcome } from '../command.js';
import type { help } from '../commands/help.js';
import { commandHelp, groupHelp, membersOf, programHelp } from '../help.js';

export default function handle({
  arguments: { command: words },
  commands,
}: Call<typeof help>): Promise<Outcome> {
  const text = helpFor(words, commands);
  return Promise.resolve({ data: { help: text }, text: () => text });
}

function helpFor(words: readonly string[], commands: readonly Command[]): string {
  if (words.length === 0) return programHelp(commands);
  const name = words.join(' ');
  const one = commands.find(({ spec }) => nameOf(spec) === name);
  const members = membersOf(name, commands);
  if (one !== undefined) return commandHelp(one.spec, members);
  if (members.length > 0) return groupHelp(name, members);
  throw usageError('UNKNOWN_COMMAND', `There is no command "${name}".`, {
    hint: 'tenantctl help lists all of them.',
  });
}
