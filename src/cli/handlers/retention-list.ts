import { listRetention } from '../../operations/retention/list.js';
import { retentionText } from '../../render/offboard-text.js';
import type { Call, Outcome } from '../command.js';
import type { retentionList } from '../commands/retention.js';

export default async function handle({ fleet }: Call<typeof retentionList>): Promise<Outcome> {
  const data = await listRetention(fleet);
  return { data, text: () => retentionText(data) };
}
