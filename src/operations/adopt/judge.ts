import type { LedgerTool } from '../../core/adoption.js';
import type { UnitVersion } from '../../core/unit.js';
import type { Judgement, LedgerProblem, LedgerProblemKind } from '../../engine/formats/ledgers/ledger.js';
import type { Migration } from '../../engine/ledger/migration.js';
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
  /** The ledger that it was judged by. */
  ledger: ReadLedger | null;
  tool: LedgerTool | null;
  /** Numbers of the files that it has; null where its shape has to tell. */
  applied: readonly number[] | null;
  version: UnitVersion | null;
}

/** What an unfit unit is, and why. */
interface Refusal {
  state: UnitState;
  reason: string;
  hint: string;
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
    const blank = { listed, difference: [], ledger: null, tool: null, applied: null, version: null };
    if ('away' in looked)
      return { ...blank, facts: null, state: 'unreachable', reason: looked.away, hint: UNREACHABLE };
    const { facts } = looked;
    const bar = barTo(listed, facts);
    if (bar !== null) return { ...blank, facts, ...bar };
    if (native) return this.settled({ ...blank, facts, state: 'current', reason: null, hint: null }, []);
    const chosen = this.choose(facts.ledgers);
    if (Array.isArray(chosen)) return { ...blank, facts, ...twoLedgers(chosen) };
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

  /** One table may fit two tools; then it is the one whose rows are these files. @returns several where two tables tell of one unit */
  private choose(ledgers: readonly ReadLedger[]): ReadLedger | ReadLedger[] | undefined {
    const asked = ledgers.filter(({ found }) => this.tool === 'auto' || found.ledger.tool === this.tool);
    const tables = new Set(asked.map(({ found }) => `${found.schema}.${found.table}`));
    if (tables.size > 1) return asked;
    const troubles = (ledger: ReadLedger): number => this.judgement(ledger).problems.length;
    return asked.toSorted((a, b) => troubles(a) - troubles(b))[0];
  }

  private judgement({ found: { ledger }, digest, rows }: ReadLedger): Judgement {
    const known = this.known.get(`${ledger.tool} ${digest}`) ?? ledger.judge(rows, this.files);
    this.known.set(`${ledger.tool} ${digest}`, known);
    return known;
  }

  private byLedger(standing: Standing & { ledger: ReadLedger }): Standing {
    const { applied, problems } = this.judgement(standing.ledger);
    const worst = problems.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
    if (worst !== undefined) return { ...standing, ...refusalFor(worst, problems) };
    if (standing.ledger.atWork) return { ...standing, ...runnerAtWork(standing.ledger) };
    if (applied.length === 0 && this.files.length > 0 && standing.facts?.owners.tables !== 0)
      return this.withoutLedger({ ...standing, state: 'no-ledger' });
    return this.settled(standing, applied);
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

  /** A unit that has every file up to this one. */
  upTo(standing: Standing, id: number): Standing {
    return this.settled(
      standing,
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
    const applied = [...new Set([...recorded, ...own])].sort((a, b) => a - b);
    const newest = this.files.findLast(({ id }) => applied.includes(id));
    const version = newest === undefined ? null : { id: newest.id, name: newest.name };
    const state = applied.length === this.files.length ? 'current' : 'behind';
    return { ...standing, state, applied, version };
  }
}

const UNREACHABLE = 'Correct the row, or see to the server, and run the same command again.';

/** What keeps a unit out whatever its ledger says. */
function barTo({ unit, tenants, role }: ListedUnit, facts: UnitFacts): Refusal | null {
  const { owners, unreadable, installable, roleIsThere } = facts;
  const taken = tenants.find(({ id }) => isElsewhere(facts, id, unit.schema));
  if (taken !== undefined)
    return {
      state: 'invalid',
      reason: `this database knows tenant ${taken.id} already, in schema ${facts.tenants.get(taken.id)?.schema}`,
      hint: 'Correct the row, or take it out of the list.',
    };
  if (!roleIsThere)
    return {
      state: 'invalid',
      reason: `cluster ${unit.cluster} has no role ${role}`,
      hint: 'Correct column role: it is the role that the application acts as.',
    };
  if (!owners.settable)
    return {
      state: 'unreachable',
      reason: `its tables belong to role ${owners.owner}, which the administrator may not act as`,
      hint: `As a role that may: GRANT "${owners.owner}" TO <administrator>;`,
    };
  if (unreadable.length > 0)
    return {
      state: 'unreachable',
      reason: `the administrator may not read ${unreadable.join(', ')}`,
      hint: `GRANT SELECT ON ${unreadable[0]} TO <administrator>;`,
    };
  if (!installable)
    return {
      state: 'unreachable',
      reason: `the administrator may not make schema tenantctl in database ${unit.database}`,
      hint: `GRANT CREATE ON DATABASE "${unit.database}" TO <administrator>;`,
    };
  return facts.fingerprint === null
    ? { state: 'busy', reason: `another session holds tables of schema ${unit.schema}`, hint: AGAIN }
    : null;
}

const AGAIN = 'Wait until it is done, and run the same command again.';

function isElsewhere({ tenants }: UnitFacts, id: string, schema: string): boolean {
  const known = tenants.get(id);
  return known !== undefined && known.schema !== schema;
}

function twoLedgers(ledgers: readonly ReadLedger[]): Refusal {
  const named = ledgers.map(({ found }) => `${found.schema}.${found.table} of ${found.ledger.tool}`);
  return {
    state: 'unknown-ledger',
    reason: `it has more than one ledger: ${[...new Set(named)].join(' and ')}`,
    hint: 'Say which one is true: --ledger <tool> for all, or column ledger for one.',
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
