import { listOrigins, type SettingOrigin } from '../../config/origin.js';
import type { Colors } from '../../render/colors.js';
import { sections, valueText } from '../../render/records.js';
import { table } from '../../render/table.js';
import type { Call, Outcome } from '../command.js';
import type { configShow } from '../commands/config.js';

export default function handle({ config }: Call<typeof configShow>): Promise<Outcome> {
  const settings = listOrigins(config);
  const { file } = config;
  const text = (colors: Colors) => sections(file ?? 'no file', settingsTable(settings, colors));
  return Promise.resolve({ data: { file, settings }, text });
}

function settingsTable(settings: readonly SettingOrigin[], colors: Colors): string {
  const rows = settings.map(({ path, value, origin, source }) => {
    const from = source === '' ? origin : source;
    return [path, valueText(value), origin === 'default' ? colors.dim(from) : from];
  });
  return table(['setting', 'value', 'from'], rows);
}
