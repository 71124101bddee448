/**
 * SQL text with values in it, safely. A value in a `sql` template becomes a parameter (`query`) or a
 * quoted literal (`text`, for messages of several statements, which cannot carry parameters).
 * Identifiers enter only through `ident`.
 */
export class Sql {
  constructor(
    private readonly strings: readonly string[],
    private readonly values: readonly unknown[],
  ) {}

  /** The statement with `$n` parameters, as the driver takes it. */
  query(): { text: string; values: unknown[] } {
    const parameters: unknown[] = [];
    const text = this.render((value) => {
      parameters.push(value);
      return `$${parameters.length}`;
    });
    return { text, values: parameters };
  }

  /** The statement with every value written into it as a quoted literal. */
  text(): string {
    return this.render(literal);
  }

  private render(write: (value: unknown) => string): string {
    return this.strings.reduce((text, string, index) => {
      const value = this.values[index - 1];
      return text + (value instanceof Sql ? value.render(write) : write(value)) + string;
    });
  }
}

/** A statement or a part of one; a `Sql` value inside is taken as SQL, any other as a value. */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Sql {
  return new Sql(strings, values);
}

/** Trusted SQL text: files of the user's and constants of ours, never input. */
export function raw(text: string): Sql {
  return new Sql([text], []);
}

/** A quoted identifier, dotted when there are several parts. */
export function ident(...parts: string[]): Sql {
  return raw(parts.map(quoteIdentifier).join('.'));
}

/** Parts joined by a separator; an empty list gives empty text. */
export function join(parts: readonly Sql[], separator = ', '): Sql {
  if (parts.length === 0) return raw('');
  return new Sql(['', ...parts.slice(1).map(() => separator), ''], parts);
}

/** Statements as one message of several, each value written into it. */
export function script(statements: readonly Sql[]): string {
  return statements.map((statement) => statement.text()).join(';\n');
}

function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new TypeError('an SQL identifier cannot be empty or hold a NUL');
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted literal, right whatever `standard_conforming_strings` says. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'number') return numberLiteral(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return quoteText(value.toISOString());
  if (Array.isArray(value)) return arrayLiteral(value);
  if (typeof value === 'string') return quoteText(value);
  return quoteText(JSON.stringify(value));
}

function numberLiteral(value: number): string {
  return Number.isFinite(value) ? String(value) : quoteText(String(value));
}

function arrayLiteral(values: unknown[]): string {
  return values.length === 0 ? "'{}'" : `ARRAY[${values.map(literal).join(', ')}]`;
}

function quoteText(text: string): string {
  if (text.includes('\0')) throw new TypeError('an SQL literal cannot hold a NUL');
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}
