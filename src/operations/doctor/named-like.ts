/**
 * The tenant's id in a name that was made by a pattern such as `tenant_{id}`. Undefined where it was not made so, or where
 * the pattern is the id alone: then any name could be a tenant's.
 */
export function idIn(pattern: string, name: string): string | undefined {
  const [before = '', after = ''] = pattern.split('{id}');
  if (before === '' && after === '') return undefined;
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined;
  const id = name.slice(before.length, name.length - after.length);
  return /^[a-z0-9][a-z0-9_-]{0,47}$/.test(id) ? id : undefined;
}
