import { groupBy } from '../../core/group-by.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { sql } from '../../pg/sql.js';
import {
  type Attempt,
  type Outcome,
  attemptScript,
  copyCounts,
  outcomesOf,
  withoutValues,
} from './attempt.js';
import { isOvertime } from './overtime.js';
import { ALL_OWN, ownReads, reads } from './probes/foreign-rows-read.js';
import { ownWrites, writes } from './probes/foreign-rows-written.js';
import { duplicates, sharedKeys } from './probes/key-tells-foreign-rows.js';
import { strayReference } from './probes/reference-to-foreign-row.js';
import type { Specimen } from './probes/specimen.js';
import { type Pair, type Scene, application, beginWith, owner, send } from './scene.js';
import type { Made, Writer } from './specimen/make-rows.js';
import type { Reference, UniqueKey } from './specimen/relation.js';
import { type Row, insertion } from './specimen/row.js';

/** What the session had set when something was tried. */
export const CONTEXTS = [
  'the context of another tenant',
  'no context',
  'an empty context',
  'a context left by an earlier transaction',
  'a session that another tenant has left its context in',
] as const;
export type Context = (typeof CONTEXTS)[number];

/** Further ways to look, for reading only. */
export type Situation = Context | 'row_security = off' | "tenantctl.scope = 'fleet'";

/** What became of everything that was tried at one table. */
export interface Tried {
  specimen: Specimen;
  /** Attempts at the probing tenant's own row: what does not work there proves nothing elsewhere. */
  controls: Outcome[];
  outcomes: { situation: Situation; outcome: Outcome }[];
  keys: { key: UniqueKey; outcomes: Outcome[] }[];
  references: { reference: Reference; outcome: Outcome }[];
  /** Contexts that could not be tried, as rows can only be made in one. */
  without: Context[];
  /** Was it ended for the time that it took? */
  stopped: boolean;
}

/** A row of the other tenant that a row of the probing one could be made to refer to. */
export interface ForeignParent {
  reference: Reference;
  row: Row;
}

/** The attempts at one table, one context after the other. */
export class TableRun {
  readonly tried: Tried;
  private readonly crossings: Attempt[];

  constructor(
    private readonly session: Connection,
    private readonly scene: Scene,
    private readonly pair: Pair,
    private readonly specimen: Specimen,
    /** Was no context needed so far? */
    private readonly untouched: boolean,
  ) {
    this.crossings = [...reads(specimen), ...writes(specimen)];
    this.tried = {
      specimen,
      controls: [],
      outcomes: [],
      keys: [],
      references: [],
      without: untouched ? [] : ['no context'],
      stopped: false,
    };
  }

  /** Everything that one transaction can try. What needs a session without any context comes first. */
  async first(parents: readonly ForeignParent[]): Promise<void> {
    await this.placeCursor();
    if (this.untouched) await this.look('no context', null);
    await this.control();
    await this.oracles(parents);
    await this.look('the context of another tenant', this.pair.own.key);
    await this.look('an empty context', '');
    await this.otherWays();
    await this.session.rollback();
  }

  /** The same rows in a transaction that comes after others of the same session. */
  async again(made: readonly Made[], writer: Writer, situation: Context): Promise<void> {
    const { setting } = this.scene.fleet.settings.tenancy;
    const kept = situation === CONTEXTS[4];
    const rows = made.map(({ table, tenant, row }) => {
      const owned = this.scene.owned.tables.has(table.qualified);
      return `${writer.become(owned ? tenant : null)}; ${insertion(table, row).text()}`;
    });
    // Making rows in a context would leave it for the rest of the transaction: it is put back to what was left.
    const left = kept ? this.pair.own.key : this.untouched ? null : '';
    if (kept)
      await send(this.session, sql`select set_config(${setting}, ${this.pair.foreign.key}, false)`.text());
    try {
      await send(this.session, beginWith(this.scene, this.pair), ...rows);
    } catch (error) {
      if (!isDatabaseError(error) || isOvertime(error)) throw error;
      await this.session.rollback();
      this.tried.without.push(situation);
      return;
    }
    await this.placeCursor();
    await this.look(situation, left);
    await this.session.rollback();
  }

  /** The owner's cursor on the other tenant's row, for statements that read nothing. */
  private async placeCursor(): Promise<void> {
    const { name, foreign } = this.specimen;
    const become = this.untouched ? owner(this.scene) : application(this.scene, this.pair.foreign.key);
    await send(
      this.session,
      become,
      `declare probe_row no scroll cursor for select * from ${name} where ${foreign}`,
      'fetch probe_row',
    );
  }

  private async attempt(
    key: string | null,
    attempts: readonly Attempt[],
    also = 'select 1',
  ): Promise<Outcome[]> {
    const become = application(this.scene, key);
    const { setting } = this.scene.fleet.settings.tenancy;
    const script = attemptScript(attempts, setting);
    const results = await this.session.message(`${become}; ${also}; ${script}`);
    return outcomesOf(results, 0, attempts);
  }

  private async look(situation: Context, key: string | null): Promise<void> {
    const outcomes = await this.attempt(key, this.crossings);
    // What fails for a SELECT fails for a COPY.
    if (outcomes[0]?.rows !== null)
      outcomes.push(...(await this.copies(key, situation === CONTEXTS[0] ? outcomes : [])));
    this.tried.outcomes.push(...outcomes.map((outcome) => ({ situation, outcome })));
  }

  private async control(): Promise<void> {
    const { own } = this.pair;
    const attempts = [...ownReads(this.specimen), ...ownWrites(this.specimen)];
    this.tried.controls.push(...(await this.attempt(own.key, attempts)));
    this.tried.controls.push(
      ...(await this.copy(own.key, [{ how: 'own', query: this.selection(this.specimen.own) }])),
    );
  }

  /** A whole table is only copied once nothing foreign has shown in it: it would be long. */
  private copies(key: string | null, seen: readonly Outcome[]): Promise<Outcome[]> {
    const { foreign, other, name, table } = this.specimen;
    const queries = [{ how: 'of a query', query: this.selection(foreign) }];
    const clean = seen.length > 0 && seen.every(({ rows }) => rows === null || rows === 0);
    // Nothing is told by it where the probing tenant's own rows could not be counted.
    if (clean && this.ownRows() !== null && other !== null && table.kind === 'r')
      queries.push({ how: 'of the table', query: name });
    return this.copy(key, queries);
  }

  private selection(condition: string): string {
    return `(select 1 from ${this.specimen.name} where ${condition})`;
  }

  /** A COPY cannot be made within a block, so each is a statement of its own. */
  private async copy(
    key: string | null,
    queries: readonly { how: string; query: string }[],
  ): Promise<Outcome[]> {
    const become = application(this.scene, key);
    const attempts = queries.map(({ how, query }): Attempt => ({
      command: 'COPY',
      how,
      statement: `copy ${query} to stdout`,
    }));
    try {
      const counts = await copyCounts(
        this.session,
        become,
        queries.map(({ query }) => query),
      );
      return attempts.map((attempt, n) => this.counted(attempt, counts[n] ?? 0));
    } catch (error) {
      if (!isDatabaseError(error) || isOvertime(error)) throw error;
      await this.session.message('rollback to savepoint copied');
      const { code } = error;
      const message = withoutValues({ state: code, message: error.message });
      return attempts.map((attempt) => ({ attempt, rows: null, state: code, message, constraint: '' }));
    }
  }

  /** The copy of a whole table holds the probing tenant's own rows too. */
  private counted(attempt: Attempt, count: number): Outcome {
    const own = attempt.how === 'of the table' ? (this.ownRows() ?? 0) : 0;
    return { attempt, rows: Math.max(count - own, 0), state: '', message: '', constraint: '' };
  }

  private ownRows(): number | null {
    return this.tried.controls.find(({ attempt }) => attempt.how === ALL_OWN)?.rows ?? null;
  }

  private async oracles(parents: readonly ForeignParent[]): Promise<void> {
    const keys = sharedKeys(this.specimen).map((key) => ({ key, attempts: duplicates(this.specimen, key) }));
    const references = parents.map(({ reference, row }) => ({
      reference,
      attempt: strayReference(this.specimen, reference, row),
    }));
    const attempts = [...keys.flatMap((one) => one.attempts), ...references.map(({ attempt }) => attempt)];
    if (attempts.length === 0) return;
    const outcomes = groupBy(await this.attempt(this.pair.own.key, attempts), ({ attempt }) => attempt);
    const of = (attempt: Attempt) => outcomes.get(attempt) ?? [];
    this.tried.keys.push(...keys.map((one) => ({ key: one.key, outcomes: one.attempts.flatMap(of) })));
    this.tried.references.push(
      ...references.flatMap(({ reference, attempt }) =>
        of(attempt).map((outcome) => ({ reference, outcome })),
      ),
    );
  }

  /** What else an application can set. */
  private async otherWays(): Promise<void> {
    const { own } = this.pair;
    const { toolPolicies } = this.specimen.table;
    const attempts = reads(this.specimen);
    const off = await this.attempt(own.key, attempts, 'set local row_security = off');
    await send(this.session, 'set local row_security = on');
    this.tried.outcomes.push(
      ...off.map((outcome) => ({ situation: 'row_security = off' as const, outcome })),
    );
    // The guard lets the fleet's administrator in by its login, which a session of the administrator's has.
    if (toolPolicies.includes('tenantctl_guard')) return;
    const scoped = await this.attempt(
      own.key,
      attempts,
      `select set_config('tenantctl.scope', 'fleet', true)`,
    );
    this.tried.outcomes.push(
      ...scoped.map((outcome) => ({ situation: "tenantctl.scope = 'fleet'" as const, outcome })),
    );
  }
}
