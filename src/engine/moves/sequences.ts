import type { Connection } from '../../pg/connection.js';
import { ident, raw, script, sql } from '../../pg/sql.js';
import { type Side, onBothSides } from '../rows/side.js';

interface DrawnSequence {
  name: string;
  /** Null when nothing was drawn from it yet. Text, as it may be larger than a number can be. */
  value: string | null;
}

interface SequenceState extends DrawnSequence {
  increment: string;
  /** How far it can go. */
  end: string;
}

/** In a pool others draw from the sequence between our look and our change; they do not draw this many. */
const MARGIN = 1_000n;

/**
 * Brings the target's sequences to where the source's are, or leaves them where they are further.
 */
export async function raiseSequences(
  from: { side: Side; session: Connection },
  to: { side: Side; session: Connection },
): Promise<void> {
  const [drawn, present] = await onBothSides(from.session, to.session, [
    () => readSequences(from.session, from.side),
    () => readSequences(to.session, to.side),
  ]);
  await raise(to, drawn, present);
}

/** The same for values that were written down. */
export async function raiseSequencesTo(
  to: { side: Side; session: Connection },
  drawn: readonly DrawnSequence[],
): Promise<void> {
  await raise(to, drawn, await readSequences(to.session, to.side));
}

/** Not transactional: a sequence that was raised for nothing stays raised, which does no harm. */
async function raise(
  { side, session }: { side: Side; session: Connection },
  drawn: readonly DrawnSequence[],
  present: readonly SequenceState[],
): Promise<void> {
  const there = new Map(present.map((sequence) => [sequence.name, sequence]));
  const raising = drawn.flatMap(({ name, value }) => {
    const twin = there.get(name);
    if (value === null || twin === undefined || !isBehind(twin, BigInt(value))) return [];
    const margin = side.shared ? MARGIN * BigInt(twin.increment) : 0n;
    const raised = notBeyond(BigInt(value) + margin, twin);
    const sequence = ident(side.home.placement.schema, name);
    // Others may have drawn more since we looked: it is never set back.
    const furthest = raw(twin.increment.startsWith('-') ? 'least' : 'greatest');
    return [
      sql`select setval(${sequence.text()}::regclass, ${furthest}(${raised}, last_value)) from ${sequence}`,
    ];
  });
  if (raising.length > 0) await session.message(script(raising));
}

function notBeyond(value: bigint, { increment, end }: SequenceState): bigint {
  const last = BigInt(end);
  const beyond = increment.startsWith('-') ? value < last : value > last;
  return beyond ? last : value;
}

function isBehind(twin: SequenceState, value: bigint): boolean {
  if (twin.value === null) return true;
  return twin.increment.startsWith('-') ? BigInt(twin.value) > value : BigInt(twin.value) < value;
}

async function readSequences(session: Connection, side: Side): Promise<SequenceState[]> {
  return session.rows<SequenceState>(sql`
    select sequencename as name, last_value::text as value, increment_by::text as increment,
        case when increment_by < 0 then min_value else max_value end::text as end
      from pg_sequences where schemaname = ${side.home.placement.schema} order by 1`);
}
