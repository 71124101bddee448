import type { LedgerTool } from '../../core/adoption.js';
import { groupBy } from '../../core/group-by.js';
import type { UnitVersion } from '../../core/unit.js';
import type { Judgement, LedgerProblem, LedgerProblemKind } from '../../engine/formats/ledgers/ledger.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { AGAIN, type Refusal, barTo, foreignHome } from './bars.js';
import type { Looked, ReadLedger, UnitFacts } from './look.js';
import type { ListedUnit } from './listed.js';
import type { UnitState } from './report.js';

/** What is known of a unit of the list, as far as it has been told by now. */
export interface Standing {
  listed: ListedUnit;
  /** Null where it could not be looked at. */
  facts: UnitFacts | null;
  state: UnitState;
  /** Why it is not taken in; null for one that is. */
  reason: string | null;
  hint: string | null;
  difference: string[];
  /** Objects in which it looks otherwise, when it is taken in all the same. */
  tolerated: string[];
  /** The ledger that it was judged by. */
  ledger: ReadLedger | null;
  tool: LedgerTool | null;
  /** Numbers of the files that it has; null where its shape has to tell. */
  applied: readonly number[] | null;
  /** Are some of them believed only because of a later mark? */
  inferred: boolean;
  version: UnitVersion | null;
}

/** Judges ledgers by the files; equal ledgers are judged once. */
export class Judge {
  private readonly known = new Map<string, Judgement>();

  constructor(
    private readonly files: readonly Migration[],
    private readonly tool: LedgerTool | 'auto',
  ) {}

  /**
   * How a unit stands by its ledger alone.
   * @param native whether this tool has made it: then our own ledger tells
   */
  judge(looked: Looked, native: boolean): Standing {
    const { listed } = looked;
    const blank = {
      listed,
      difference: [],
      tolerated: [],
      ledger: null,
      tool: null,
      applied: null,
      inferred: false,
      version: null,
    };
    if ('away' in looked)
      return { ...blank, facts: null, state: 'unreachable', reason: looked.away, hint: UNREACHABLE };
    const { facts } = looked;
    const bar = barTo(listed, facts) ?? (native ? null : foreignHome(listed, facts));
    if (bar !== null) return { ...blank, facts, ...bar };
    if (native) return this.settled({ ...blank, facts, state: 'current', reason: null, hint: null }, []);
    const chosen = this.choose(facts.ledgers);
    if (Array.isArray(chosen)) return { ...blank, facts, ...twoLedgers(chosen) };
    if (chosen === undefined && listed.ledger !== null)
      return { ...blank, facts, ...noSuchLedger(listed.ledger) };
    // The change-over is done: what it had then, and got since, stands in our own ledger.
    if (chosen === undefined && facts.adopted !== null && facts.own.length > 0)
      return this.settled({ ...blank, facts, state: 'current', reason: null, hint: null }, []);
    if (chosen === undefined)
      return this.withoutLedger({ ...blank, facts, state: 'no-ledger', reason: null, hint: null });
    return this.byLedger({
      ...blank,
      facts,
      ledger: chosen,
      tool: chosen.found.ledger.tool,
      state: 'current',
      reason: null,
      hint: null,
    });
  }

  /** One table may fit two tools; then it is the one that knows its rows best. @returns several where two tables tell of one unit */
  private choose(ledgers: readonly ReadLedger[]): ReadLedger | ReadLedger[] | undefined {
    const asked = ledgers.filter(({ found }) => this.tool === 'auto' || found.ledger.tool === this.tool);
    const tables = groupBy(asked, ({ found }) => `${found.schema}.${found.table}`);
    const chosen = [...tables.values()].map((fitting) => this.bestOf(fitting));
    return chosen.length > 1 ? chosen : chosen[0];
  }

  private bestOf(ledgers: readonly ReadLedger[]): ReadLedger {
    const [best] = ledgers.toSorted((a, b) => {
      const [one, other] = [this.judgement(a), this.judgement(b)];
      return (
        other.applied.length - one.applied.length ||
        one.problems.length - other.problems.length ||
        this.tellable(b) - this.tellable(a)
      );
    });
    return best as ReadLedger;
  }

  /** How many of the files its tool could have written down: all that tells whose an empty table is. */
  private tellable({ found: { ledger } }: ReadLedger): number {
    return this.files.filter((file) => ledger.mirror.applied(file) !== null).length;
  }

  private judgement({ found: { ledger }, digest, rows }: ReadLedger): Judgement {
    const known = this.known.get(`${ledger.tool} ${digest}`) ?? ledger.judge(rows, this.files);
    this.known.set(`${ledger.tool} ${digest}`, known);
    return known;
  }

  private byLedger(standing: Standing & { ledger: ReadLedger }): Standing {
    const { applied, inferred, problems } = this.judgement(standing.ledger);
    const worst = problems.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
    if (worst !== undefined) return { ...standing, ...refusalFor(worst, problems) };
    if (standing.ledger.atWork) return { ...standing, ...runnerAtWork(standing.ledger) };
    if (applied.length === 0 && this.files.length > 0 && standing.facts?.owners.tables !== 0)
      return this.withoutLedger({ ...standing, state: 'no-ledger' });
    return this.settled({ ...standing, inferred: inferred.length > 0 }, applied);
  }

  /** The list may say which version it has; otherwise its shape has to. */
  private withoutLedger(standing: Standing): Standing {
    const { listed, facts } = standing;
    if (listed.version === null) {
      const [unread] = facts?.unread ?? [];
      return unread === undefined ? standing : { ...standing, ...notRead(unread) };
    }
    const file = this.fileNamed(listed.version);
    if (file === undefined)
      return {
        ...standing,
        state: 'invalid',
        reason: `there is no migration ${listed.version}`,
        hint: 'Give the name or the number of a file in column version.',
      };
    return this.upTo(standing, file.id);
  }

  /**
   * A unit that has every file up to this one, whatever its ledger lacks. An empty ledger is none: kept true from here on it would
   * name the later files alone, and its tool would run the first ones again.
   */
  upTo(standing: Standing, id: number): Standing {
    return this.settled(
      { ...standing, ledger: null, tool: null },
      this.files.filter((file) => file.id <= id).map((file) => file.id),
    );
  }

  private fileNamed(version: string): Migration | undefined {
    return this.files.find(
      ({ name, id }) => name === version || String(id) === version.replace(/^0+(?=\d)/, ''),
    );
  }

  /** A unit that has these files. */
  private settled(standing: Standing, recorded: readonly number[]): Standing {
    // What was applied since it was adopted stands in our own ledger.
    const own = (standing.facts?.own ?? []).filter(({ state }) => state === 'applied').map(({ id }) => id);
    const still = recorded.filter((id) => standing.facts?.takenBack.includes(id) !== true);
    const applied = [...new Set([...still, ...own])].sort((a, b) => a - b);
    const newest = this.files.findLast(({ id }) => applied.includes(id));
    const version = newest === undefined ? null : { id: newest.id, name: newest.name };
    const state = applied.length === this.files.length ? 'current' : 'behind';
    return { ...standing, state, applied, version };
  }
}

const UNREACHABLE = 'Correct the row, or see to the server, and run the same command again.';

function twoLedgers(ledgers: readonly ReadLedger[]): Refusal {
  const named = ledgers.map(({ found }) => `${found.schema}.${found.table} of ${found.ledger.tool}`);
  return {
    state: 'unknown-ledger',
    reason: `it has more than one ledger: ${named.join(' and ')}`,
    hint: 'Say which one is true: --ledger <tool> for all, or column ledger for one.',
  };
}

function noSuchLedger({ schema, table }: { schema: string; table: string }): Refusal {
  return {
    state: 'unknown-ledger',
    reason: `the list names ${schema}.${table}, which is no ledger of a tool that is read`,
    hint: 'Correct column ledger (schema.table), or leave it empty: then its shape tells which migrations it has.',
  };
}

function notRead({ tool, schema, table }: { tool: string; schema: string; table: string }): Refusal {
  return {
    state: 'unknown-ledger',
    reason: `its ledger ${schema}.${table} is one of ${tool}, which is not read`,
    hint: 'Say in column version which migration it has; its shape is compared with that.',
  };
}

function runnerAtWork({ found }: ReadLedger): Refusal {
  return {
    state: 'busy',
    reason: `${found.ledger.tool} is at work on it now`,
    hint: AGAIN,
  };
}

/** The gravest first. */
const KINDS: readonly LedgerProblemKind[] = ['dirty', 'edited', 'unknown', 'gap', 'unsure', 'ahead'];

const STATES: Record<LedgerProblemKind, UnitState> = {
  dirty: 'dirty',
  edited: 'edited',
  unknown: 'unclear',
  gap: 'unclear',
  unsure: 'unclear',
  ahead: 'ahead',
};

function refusalFor({ kind, message, hint }: LedgerProblem, all: readonly LedgerProblem[]): Refusal {
  const more = all.length === 1 ? '' : ` (and ${all.length - 1} more)`;
  return { state: STATES[kind], reason: `${message}${more}`, hint };
}
