import { offsetOfCodePoint } from '../../core/source-position.js';
import type { Migration } from './migration.js';

/** A place in a migration that an error points to; the offset is in UTF-16 units of the file's text. */
export interface SourcePlace {
  migration: Migration;
  offset: number | null;
}

interface Segment {
  text: string;
  statements: number;
  /** The migration whose text this is, or whose consequences are drawn here. */
  migration: Migration | null;
  /** Is it the migration's own text? */
  own: boolean;
}

/**
 * Several statements sent in one round trip, remembering which part came from which file, so that an
 * error of the server can be traced back to a line.
 */
export class Message {
  private readonly segments: Segment[] = [];

  /** Adds a statement of our own; `after` is the migration that it follows up, if it belongs to one. */
  add(text: string, after: Migration | null = null): this {
    this.segments.push({ text: `${text};\n`, statements: 1, migration: after, own: false });
    return this;
  }

  /** Adds a migration's text, or the form of it for a fresh home. */
  addMigration(migration: Migration, form: 'as written' | 'fresh' = 'as written'): this {
    const fresh = form === 'fresh';
    const statements = fresh && migration.directives.batched ? 1 : migration.statements.length;
    const text = `${fresh ? migration.freshSql : migration.sql}\n;\n`;
    this.segments.push({ text, statements, migration, own: true });
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
    let offset = offsetOfCodePoint(this.text, position - 1);
    for (const { text, migration, own } of this.segments) {
      if (offset < text.length) return migration === null ? null : { migration, offset: own ? offset : null };
      offset -= text.length;
    }
    return null;
  }

  private atStatement(index: number): SourcePlace | null {
    let left = index;
    for (const { statements, migration, own } of this.segments) {
      if (left < statements) {
        if (migration === null) return null;
        return { migration, offset: own ? (migration.statements[left]?.start ?? null) : null };
      }
      left -= statements;
    }
    return null;
  }
}
