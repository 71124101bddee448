import {
  type AuditDifference,
  type AuditDifferenceKind,
  CHAIN_START,
  type ChainPoint,
} from '../../core/audit.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { ENTRY_HASH } from './hash.js';

/** Entries that are held at a time, however long the log is. */
const PAGE = 2_000;

/** Differences that are named; after a row is removed from the middle there is one, after a rewrite there may be millions. */
const NAMED = 20;

interface Link extends ChainPoint {
  previous: string;
  computed: string;
}

/** What a walk along the chain has seen. */
export interface Walk {
  entries: number;
  /** The last entry that is there. */
  last: ChainPoint;
  /** In order of the chain; only the first are named. */
  differences: AuditDifference[];
}

/**
 * Walks the chain from behind `from` to its end, page by page; in a transaction with one snapshot, so that whoever
 * writes meanwhile is not taken for a difference.
 */
export async function walkChain(connection: Connection, from: ChainPoint = CHAIN_START): Promise<Walk> {
  const walk: Walk = { entries: 0, last: from, differences: [] };
  for (;;) {
    const page = await readPage(connection, walk.last);
    for (const link of page) {
      await compare(connection, walk, link);
      walk.last = { seq: link.seq, hash: link.hash };
      walk.entries += 1;
    }
    if (page.length < PAGE) break;
  }
  await compareHead(connection, walk);
  return walk;
}

/** By hash as well: where somebody has dropped the primary key, two entries may bear one number. */
function readPage(connection: Connection, after: ChainPoint): Promise<Link[]> {
  return connection.rows<Link>(sql`
    select a.seq::float8 as seq, a.hash, a.previous, ${ENTRY_HASH} as computed from tenantctl_catalog.audit a
     where (a.seq, a.hash) > (${after.seq}::bigint, ${after.hash}::text) order by a.seq, a.hash limit ${PAGE}`);
}

async function compare(connection: Connection, walk: Walk, link: Link): Promise<void> {
  const { last } = walk;
  if (link.seq > last.seq + 1) note(walk, 'missing', last.seq + 1, missingText(last.seq + 1, link.seq - 1));
  else if (link.previous !== last.hash) await noteBreak(connection, walk, link);
  if (link.computed !== link.hash)
    note(
      walk,
      'changed',
      link.seq,
      `entry ${link.seq} is not what was written: its hash does not fit its text`,
    );
}

/** A link that leads elsewhere: to an earlier entry, so that there are two chains from there, or nowhere. */
async function noteBreak(connection: Connection, walk: Walk, link: Link): Promise<void> {
  const origin = await connection.row<{ seq: number }>(
    sql`select seq::float8 as seq from tenantctl_catalog.audit where hash = ${link.previous} and seq < ${link.seq} order by seq limit 1`,
  );
  const forkedAt = origin?.seq ?? (link.previous === CHAIN_START.hash ? 0 : undefined);
  if (forkedAt === undefined)
    note(
      walk,
      'wrong-previous',
      link.seq,
      `entry ${link.seq} does not follow entry ${walk.last.seq} as it is now: one of the two was replaced`,
    );
  else
    note(
      walk,
      'forked',
      link.seq,
      `the chain is forked: entry ${link.seq} follows ${placeText(forkedAt)}, not entry ${walk.last.seq}`,
    );
}

async function compareHead(connection: Connection, walk: Walk): Promise<void> {
  const head = await readHead(connection);
  const { seq, hash } = walk.last;
  if (head === undefined) note(walk, 'head', seq, 'the row that names the end of the chain is gone');
  else if (head.seq > seq)
    note(walk, 'truncated', seq + 1, `${missingText(seq + 1, head.seq)}: the log was cut at its end`);
  else if (head.seq < seq)
    note(
      walk,
      'head',
      seq,
      `the head says that entry ${head.seq} is the last one, but there are entries up to ${seq}`,
    );
  else if (head.hash !== hash) note(walk, 'head', seq, `the head names another hash than entry ${seq} has`);
}

/** The end of the chain as the catalog names it; undefined when its row is gone. */
export async function readHead(connection: Connection): Promise<ChainPoint | undefined> {
  return connection.row<ChainPoint>(
    sql`select seq::float8 as seq, hash from tenantctl_catalog.audit_head order by seq desc limit 1`,
  );
}

function note(walk: Walk, kind: AuditDifferenceKind, seq: number, message: string): void {
  if (walk.differences.length < NAMED) walk.differences.push({ kind, seq, message });
}

function missingText(first: number, last: number): string {
  return first === last ? `entry ${first} is missing` : `entries ${first} to ${last} are missing`;
}

function placeText(seq: number): string {
  return seq === 0 ? 'nothing' : `entry ${seq}`;
}
