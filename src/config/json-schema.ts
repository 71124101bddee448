import * as z from 'zod';
import { configSchema } from './schema.js';
import { notes } from './setting.js';

/** A text with a variable in it stands for any value. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' };
const NARROW = ['pattern', 'enum', 'const'];

type Schema = z.core.JSONSchema.BaseSchema;

/**
 * The JSON Schema of a configuration file, for editors (`tenantctl config schema`). `catalog` is not
 * required in it, for the environment may name it.
 */
export function configJsonSchema(): Schema {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => annotate(zodSchema, jsonSchema),
  });
  const { required: _, ...rest } = schema;
  const properties = { $schema: { type: 'string' as const }, ...rest.properties };
  return { ...rest, properties, title: 'tenantctl configuration' };
}

function annotate(zodSchema: z.core.$ZodType, schema: Schema): void {
  const summary = notes.get(zodSchema)?.summary;
  if (summary === undefined) return;
  allowVariable(schema);
  schema.description = summary;
}

/** Turns a schema that a `${VARIABLE}` would not pass into one of two alternatives, in place. */
function allowVariable(schema: Schema): void {
  const { default: fallback, ...own } = schema;
  const simple = own.type !== undefined && own.type !== 'object' && own.type !== 'array';
  if (!simple || (own.type === 'string' && !NARROW.some((key) => key in own))) return;
  for (const key of Object.keys(schema)) delete schema[key];
  Object.assign(schema, { anyOf: [own, VARIABLE] }, fallback === undefined ? {} : { default: fallback });
}
