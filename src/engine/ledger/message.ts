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
  migration: Migration | null;
}

/**
 * Several statements sent in one round trip, remembering which part came from which file, so that an
 * error of the server can be traced back to a line.
 */
export class Message {
  private readonly segments: Segment[] = [];

  /** Adds statements of our own; `statements` is how many the text holds. */
  add(text: string, statements = 1): this {
    this.segments.push({ text: `${text};\n`, statements, migration: null });
    return this;
  }

  /** Adds a migration's text, or the form of it for a fresh home. */
  addMigration(migration: Migration, form: 'as written' | 'fresh' = 'as written'): this {
    const fresh = form === 'fresh';
    const statements = fresh && migration.directives.batched ? 1 : migration.statements.length;
    this.segments.push({ text: `${fresh ? migration.freshSql : migration.sql}\n;\n`, statements, migration });
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
    for (const { text, migration } of this.segments) {
      if (offset < text.length) return migration === null ? null : { migration, offset };
      offset -= text.length;
    }
    return null;
  }

  private atStatement(index: number): SourcePlace | null {
    let left = index;
    for (const { statements, migration } of this.segments) {
      if (left < statements) {
        return migration === null ? null : { migration, offset: migration.statements[left]?.start ?? null };
      }
      left -= statements;
    }
    return null;
  }
}
