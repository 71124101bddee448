import { releaseHold } from '../../operations/retention/hold.js';
import { counted } from '../../core/counted.js';
import { holdText } from '../../render/offboard-text.js';
import type { Call, Outcome } from '../command.js';
import type { retentionRelease } from '../commands/retention.js';

export default async function handle({
  fleet,
  arguments: { id },
  options,
}: Call<typeof retentionRelease>): Promise<Outcome> {
  const data = await releaseHold(fleet, id, { dryRun: options.dryRun });
  const text: Outcome['text'] = (colors) =>
    options.dryRun
      ? `${counted(data.held.length, 'hold')} on ${id} would be released; nothing was changed`
      : holdText(data, colors);
  return { data, text };
}
