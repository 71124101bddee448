import { offsetOfCodePoint } from '../../core/source-position.js';
import type { Migration } from './migration.js';

/** A place in a migration that an error points to; the offset is in UTF-16 units of the file's text. */
export interface SourcePlace {
  migration: Migration;
  offset: number | null;
  /** The number of the statement in the file, from 0; null for one of ours that belongs to the migration. */
  statement: number | null;
}

/** Words of ours within a migration's text; the offset is in UTF-16 units. */
export interface Addition {
  offset: number;
  text: string;
}

/** Statements of ours that go before one of the file's. */
export interface Insertion {
  statement: number;
  text: string;
}

interface Segment {
  text: string;
  statements: number;
  /** The migration whose text this is, or whose consequences are drawn here. */
  migration: Migration | null;
  /** Where it begins in the migration's own text; null for what is ours. */
  own: { statement: number; offset: number } | null;
}

/**
 * Several statements sent in one round trip, remembering which part came from which file, so that an
 * error of the server can be traced back to a line.
 */
export class Message {
  private readonly segments: Segment[] = [];

  /** Adds a statement of our own; `after` is the migration that it follows up, if it belongs to one. */
  add(text: string, after: Migration | null = null): this {
    this.segments.push({ text: `${text};\n`, statements: 1, migration: after, own: null });
    return this;
  }

  /** Adds a migration's text as it is written. */
  addMigration(migration: Migration): this {
    return this.addText(migration, migration.sql, migration.statements.length, 0, 0);
  }

  /** Adds the form of a migration's text for a fresh home. */
  addFresh(migration: Migration, additions: readonly Addition[] = []): this {
    const { freshSql, directives, statements } = migration;
    let from = 0;
    for (const { offset, text } of additions) {
      const before = { text: freshSql.slice(from, offset), own: { statement: 0, offset: from } };
      for (const part of [before, { text, own: null }])
        this.segments.push({ statements: 0, migration, ...part });
      from = offset;
    }
    return this.addText(migration, freshSql.slice(from), directives.batched ? 1 : statements.length, 0, from);
  }

  /** Adds a migration's text with a statement of ours before one of its own. */
  addInterrupted(migration: Migration, { statement, text }: Insertion): this {
    const offset = migration.statements[statement]?.start ?? migration.sql.length;
    const left = migration.statements.length - statement;
    return this.addText(migration, migration.sql.slice(0, offset), statement, 0, 0)
      .add(text, migration)
      .addText(migration, migration.sql.slice(offset), left, statement, offset);
  }

  private addText(
    migration: Migration,
    text: string,
    count: number,
    statement: number,
    offset: number,
  ): this {
    this.segments.push({ text: `${text}\n;\n`, statements: count, migration, own: { statement, offset } });
    return this;
  }

  get text(): string {
    return this.segments.map(({ text }) => text).join('');
  }

  /**
   * Where an error arose. The server gives a position for some errors; for the others the statements
   * that completed before it are counted.
   * @param position 1-based, in code points of the whole message, or undefined
   */
  locate(position: number | undefined, completed: number): SourcePlace | null {
    return position === undefined ? this.atStatement(completed) : this.atPosition(position);
  }

  private atPosition(position: number): SourcePlace | null {
    let left = offsetOfCodePoint(this.text, position - 1);
    for (const { text, migration, own } of this.segments) {
      if (left < text.length) {
        if (migration === null) return null;
        const offset = own === null ? null : own.offset + left;
        return { migration, offset, statement: offset === null ? null : statementAt(migration, offset) };
      }
      left -= text.length;
    }
    return null;
  }

  private atStatement(index: number): SourcePlace | null {
    let left = index;
    for (const { statements, migration, own } of this.segments) {
      if (left < statements) {
        if (migration === null) return null;
        if (own === null) return { migration, offset: null, statement: null };
        const statement = own.statement + left;
        return { migration, offset: migration.statements[statement]?.start ?? null, statement };
      }
      left -= statements;
    }
    return null;
  }
}

function statementAt({ statements }: Migration, offset: number): number | null {
  const index = statements.findLastIndex(({ start }) => start <= offset);
  return index < 0 ? null : index;
}
