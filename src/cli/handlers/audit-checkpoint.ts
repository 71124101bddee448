import { writeCheckpoint } from '../../operations/audit/checkpoint.js';
import { checkpointText } from '../../render/audit-text.js';
import { checkpointPath } from '../checkpoint-path.js';
import type { Call, Outcome } from '../command.js';
import type { auditCheckpoint } from '../commands/audit.js';

export default async function handle({
  fleet,
  io,
  config,
  options,
}: Call<typeof auditCheckpoint>): Promise<Outcome> {
  const data = await writeCheckpoint(fleet, checkpointPath(io, config, options.file), options);
  return { data, text: (colors) => checkpointText(data, colors) };
}
