import type { MigrationFormatName } from '../../core/settings.js';

/** A SQL file of the user's. */
export interface ScriptFile {
  fileName: string;
  /** Absolute path. */
  path: string;
  /** Its text with line ends as LF, so that a Windows checkout is the same file. */
  sql: string;
}

/**
 * How the format's own tool sends a file: inside a transaction of the tool's, statement by statement
 * without one, or as one message, in which the file may hold its own BEGIN and COMMIT.
 */
export type Sending = 'transaction' | 'statements' | 'message';

/**
 * One direction of a migration. In `sql` everything else is blanked out, so that places in it are places
 * in the file.
 */
export interface MigrationScript extends ScriptFile {
  /** The file's text as it stands there, for people. */
  source: string;
  sending: Sending;
}

/** One migration as it stands on disk. */
export interface MigrationFile extends MigrationScript {
  /** Its place in the order, from 1 without a gap. */
  id: number;
  /** What the format's own tool calls it. */
  name: string;
  /** By the format's own rule; sha256 of what runs where it has none. */
  checksum: string;
  /** The way back, or null. */
  down: MigrationScript | null;
  /** What the format's own tool knows of it beside name and text, such as the time in a journal. */
  particulars?: Readonly<Record<string, string | number>>;
}

/** A directory's names, and the texts in it on demand. */
export interface Listing {
  directory: string;
  /** Names of the files in it, sorted by code unit. */
  files: readonly string[];
  /** Names of the folders in it, sorted likewise. */
  folders: readonly string[];
  /** The text of a file by its path inside the directory, with line ends as LF; undefined when it is not there. */
  text(name: string): Promise<string | undefined>;
}

/** A reader for the directories of one migration tool. */
export interface MigrationFormat {
  name: MigrationFormatName;
  /** Is it plainly a directory of this format? */
  recognises(listing: Listing): Promise<boolean>;
  /**
   * Its migrations in the order of the format's own tool.
   * @throws configuration error `MIGRATIONS_INVALID` (exit 3) naming every file that breaks a rule
   */
  read(listing: Listing): Promise<MigrationFile[]>;
}
