import { configJsonSchema } from '../../config/json-schema.js';
import type { Outcome } from '../command.js';

export default function handle(): Promise<Outcome> {
  const schema = configJsonSchema();
  return Promise.resolve({ data: schema, text: () => JSON.stringify(schema, null, 2) });
}
