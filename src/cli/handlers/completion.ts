import type { Call, Outcome } from '../command.js';
import type { completion } from '../commands/completion.js';
import { completionScript } from '../completion/script.js';

export default function handle({
  arguments: { shell },
  commands,
}: Call<typeof completion>): Promise<Outcome> {
  const script = completionScript(shell, commands);
  return Promise.resolve({ data: { shell, script }, text: () => script });
}
