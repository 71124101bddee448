import type { Placement } from './tier.js';
import type { UnitVersion } from './unit.js';

export const EXPORT_FORMAT = 1;

/** How rows are written: `csv` as COPY writes it, `ndjson` one object a line. */
export const DATA_FORMATS = ['csv', 'ndjson'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

/** What an export holds and from which moment; `manifest.json` in its folder. Without secrets. */
export interface ExportManifest {
  format: typeof EXPORT_FORMAT;
  /** The version of the tool that wrote it. */
  tool: string;
  createdAt: string;
  tenant: { id: string; key: string };
  home: Placement & { epoch: number };
  /** The newest migration that the home had. */
  migration: UnitVersion | null;
  server: { version: number; encoding: string; collation: string };
  /** Every file is from this one snapshot. */
  snapshot: { id: string; lsn: string; at: string };
  /** The session settings that decide how values are written as text. */
  settings: Record<string, string>;
  data: { format: DataFormat; compression: 'gzip' | null };
  /** Referenced tables first; those in a circle are named in `circles`. */
  tables: ExportedTable[];
  /** Tables that refer to each other, so that no order of them satisfies every foreign key at each moment. */
  circles: string[][];
  /** Tables of the home that are not in the export, and why. */
  leftOut: { table: string; reason: string }[];
  sequences: ExportedSequence[];
  /** Large objects are not exported; a home that refers to some says so here. */
  largeObjects: 'none' | 'not exported';
}

export interface ExportedTable {
  table: string;
  /**
   * `tenant`: rows of the tenant alone. `reference`: rows of a table shared by all tenants, to which rows of the tenant
   * refer, or the whole table where the home is the tenant's own.
   */
  kind: 'tenant' | 'reference';
  /** Path within the export. */
  file: string;
  rows: number;
  /** Of the file as it is stored. */
  bytes: number;
  sha256: string;
  /** Sum of the hashes of the rows, in any order, over the columns below; the same function as for moves. */
  hash: string;
  /** The columns in the file, in its order. */
  columns: { name: string; type: string; notNull: boolean }[];
  /** The columns by which a row is found again. */
  key: string[];
  references: { columns: string[]; table: string; referenced: string[] }[];
  /** Columns that are not in the file: computed ones, and the tenant's key, which is the same in every row. */
  leftOutColumns: { name: string; reason: 'generated' | 'tenant key' }[];
}

export interface ExportedSequence {
  name: string;
  /** The last value drawn; null when nothing was. Text, as it may be larger than a number can be. */
  value: string | null;
}
