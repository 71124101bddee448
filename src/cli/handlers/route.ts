import { routeTenant } from '../../operations/route.js';
import { recordText } from '../../render/records.js';
import type { Call, Outcome } from '../command.js';
import type { route } from '../commands/route.js';

export default async function handle({ fleet, arguments: { id } }: Call<typeof route>): Promise<Outcome> {
  const data = await routeTenant(fleet, id);
  const { settings, ...place } = data;
  const sets = Object.entries(settings).map(([name, value]) => [`set ${name}`, value]);
  return { data, text: () => recordText({ ...place, ...Object.fromEntries(sets) }) };
}
