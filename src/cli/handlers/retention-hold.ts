import { placeHold } from '../../operations/retention/hold.js';
import { holdText } from '../../render/offboard-text.js';
import type { Call, Outcome } from '../command.js';
import type { retentionHold } from '../commands/retention.js';

export default async function handle({
  fleet,
  arguments: { id },
  options,
}: Call<typeof retentionHold>): Promise<Outcome> {
  const data = await placeHold(fleet, id, { dryRun: options.dryRun });
  const text: Outcome['text'] = (colors) =>
    options.dryRun ? `${id} would be put on hold; nothing was changed` : holdText(data, colors);
  return { data, text };
}
