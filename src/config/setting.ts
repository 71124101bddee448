import * as z from 'zod';

/** What is said about a setting beside its shape; help, reference and `config show` are made from it. */
export interface SettingNote {
  summary?: string;
  /** The kind of value with its article, as it stands in "must be …". */
  type?: string;
  secret?: true;
  /** The global command-line flag that sets it, as commander names the option. */
  flag?: string;
}

export const notes = z.registry<SettingNote>();

/** Declares a setting or a section: the schema it was given, with its summary attached. */
export function setting<T extends z.ZodType>(schema: T, summary: string, more: SettingNote = {}): T {
  notes.add(schema, { ...notes.get(schema), ...more, summary });
  return schema;
}

/** Names the kind of value that the schema reads. */
export function typed<T extends z.ZodType>(schema: T, type: string): T {
  notes.add(schema, { ...notes.get(schema), type });
  return schema;
}
