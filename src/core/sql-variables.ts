import { configError } from './errors.js';

/**
 * Text that is not looked into for variables: quoted strings and identifiers, dollar quotes, comments.
 * The last alternative is a variable as psql writes it; `::type` is a cast.
 */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_][A-Za-z_0-9]*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|::|:([a-z_][a-z0-9_]*)/g;

/**
 * Writes values into a script where it says `:name`.
 * @param values by name, already quoted as SQL
 * @throws configuration error `VARIABLE_UNKNOWN` (exit 3) that lists the names there are
 */
export function substituteVariables(
  script: string,
  fileName: string,
  values: Readonly<Record<string, string>>,
): string {
  return script.replace(TOKENS, (token: string, _tag: string | undefined, name: string | undefined) => {
    if (name === undefined) return token;
    const value = values[name];
    if (value !== undefined) return value;
    throw configError('VARIABLE_UNKNOWN', `${fileName} uses :${name}, which is not known here.`, {
      hint: `Known: ${Object.keys(values)
        .map((known) => `:${known}`)
        .join(', ')}.`,
      facts: { file: fileName, variable: name },
    });
  });
}
