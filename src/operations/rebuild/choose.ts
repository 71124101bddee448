import type { MoveState, UndoState } from '../../core/move.js';
import { type FoundHome, whereIs } from './read-homes.js';

/** A move as the homes of its tenant tell it. */
export interface FoundMove {
  id: string;
  source: FoundHome;
  target: FoundHome;
  /** Epochs of the two: that of the source as it was when the move began. */
  fromEpoch: number;
  toEpoch: number;
  state: MoveState;
  undo: UndoState;
}

/** A tenant as its homes tell it. */
export interface FoundTenant {
  /** The home that counts: the newest one. */
  home: FoundHome;
  move: FoundMove | null;
  createdAt: string;
  /** What is told beside it. */
  remarks: string[];
}

export type Choice = { tenant: FoundTenant } | { left: string } | { clash: readonly [FoundHome, FoundHome] };

const LIVES: ReadonlySet<string> = new Set(['active', 'moving', 'suspended']);

/** Which of the homes of one tenant it lives in, and what the others are. */
export function choose(homes: readonly FoundHome[]): Choice {
  const [first, ...others] = homes.toSorted((one, other) => other.epoch - one.epoch) as [
    FoundHome,
    ...FoundHome[],
  ];
  const stranger = others.find(({ key }) => key !== first.key);
  if (stranger !== undefined) return { clash: [first, stranger] };
  const living = [first, ...others].filter(({ state }) => LIVES.has(state));
  const [home, rival] = living;
  if (home !== undefined && rival !== undefined && rival.epoch === home.epoch)
    return { clash: [home, rival] };
  const move = moveAmong(homes);
  const current = move === null ? home : currentOf(move);
  if (current === undefined) return { left: whyLeft(first) };
  const createdAt = homes.map((each) => each.createdAt).toSorted()[0] as string;
  return { tenant: { home: current, move, createdAt, remarks: remarksOn(homes, current, move) } };
}

/** Nobody lives in what was begun, and what was left points elsewhere. */
function whyLeft(home: FoundHome): string {
  return home.state === 'making'
    ? `its home was begun and never finished: ${whereIs(home)}`
    : `its home says that it has moved, and where it went it is not: ${whereIs(home)}`;
}

function moveAmong(homes: readonly FoundHome[]): FoundMove | null {
  const source = homes.find(({ move }) => move?.side === 'source');
  const target = homes.find(
    (home) =>
      home !== source && (home.move?.side === 'target' || (home.move === null && home.state === 'making')),
  );
  const id = source?.move?.id;
  if (source === undefined || target === undefined || id === undefined) return null;
  if (target.move !== null && target.move.id !== id) return null;
  // One of two that both serve is from before the move: it was brought back by somebody.
  if (LIVES.has(source.state) && LIVES.has(target.state)) return null;
  const epochs = { fromEpoch: target.epoch - 1, toEpoch: target.epoch };
  return { id, source, target, ...epochs, ...stageOf(source, target) };
}

/** How far it has come, by what both homes answer and by whether their units are held from migrations. */
function stageOf(source: FoundHome, target: FoundHome): { state: MoveState; undo: UndoState } {
  if (target.state === 'moved')
    return { state: 'grace', undo: LIVES.has(source.state) ? 'flipped' : 'moved' };
  if (source.state !== 'moved') return { state: 'planned', undo: null };
  if (target.state === 'making') return { state: 'moved', undo: null };
  if (target.status === 'moving') return { state: 'grace', undo: 'syncing' };
  return { state: source.status === 'moving' ? 'flipped' : 'grace', undo: null };
}

/** Where the catalog places the tenant at such a stage. */
function currentOf({ source, target, state, undo }: FoundMove): FoundHome {
  if (undo === 'flipped') return source;
  return state === 'planned' || state === 'moved' ? source : target;
}

function remarksOn(homes: readonly FoundHome[], current: FoundHome, move: FoundMove | null): string[] {
  const others = homes.filter((home) => home !== current && home !== move?.source && home !== move?.target);
  return [
    ...(move === null && current.move !== null
      ? [`move ${current.move.id} has left entries in ${whereIs(current)}, and its other home is not there`]
      : []),
    ...others.map(
      (home) => `an older home of it (epoch ${home.epoch}, ${home.state}) is in ${whereIs(home)}`,
    ),
  ];
}
