import { movesList } from '../../operations/moves/list.js';
import { movesText } from '../../render/move-text.js';
import type { Call, Outcome } from '../command.js';
import type { movesList as declaration } from '../commands/moves.js';

export default async function handle({ fleet, options }: Call<typeof declaration>): Promise<Outcome> {
  const data = await movesList(fleet, options.limit);
  return { data, text: () => movesText(data.moves) };
}
