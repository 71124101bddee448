import { randomBytes } from 'node:crypto';
import type { Connection } from '../../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../../pg/errors.js';
import { raw } from '../../../pg/sql.js';
import { isOvertime } from '../overtime.js';
import { Form } from './form.js';
import type { Reference, Relation } from './relation.js';
import { type Row, asText, insertion, rowOf } from './row.js';

const TRIES = 80;

/** Why a row could not be made, for the list of what was not probed. */
export class NoRow extends Error {}

/** The statement that makes one row again, and as whom. */
export interface Made {
  table: Relation;
  tenant: string;
  row: Row;
}

/** Which tables hold rows of one tenant each. */
export interface Owned {
  /** By the tenant column, or by a reference that must be there. */
  tables: ReadonlySet<string>;
  /** Tables of tenants: which of their columns the tenant column of others points to. */
  registers: ReadonlyMap<string, string>;
}

/** In whose name the rows are made. */
export interface Writer {
  /** The statements that make the session one of the application for a tenant, or of the owner for null. */
  become(tenant: string | null): string;
}

/**
 * Makes rows in tables of which nothing is known but the catalogs: the rows that they refer to first, defaults where there
 * are any, otherwise values that fit the type and the constraints. All of it in the session's transaction.
 */
export class RowMaker {
  /** In the order in which they can be made again. */
  readonly made: Made[] = [];
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly session: Connection,
    private readonly tables: ReadonlyMap<string, Relation>,
    private readonly tenantColumn: string,
    private readonly owned: Owned,
    private readonly writer: Writer,
    /** Values that a view asks for in its conditions. */
    private readonly wanted: readonly string[] = [],
  ) {}

  /**
   * A row of the tenant in the table; in a table of nobody's, any row that is there.
   * @throws NoRow
   */
  async rowFor(table: Relation, tenant: string, path: readonly string[] = []): Promise<Row> {
    const owned = this.owned.tables.has(table.qualified) || this.owned.registers.has(table.qualified);
    const known = this.rows.get(`${table.qualified} ${owned ? tenant : ''}`);
    if (known !== undefined) return known;
    if (path.includes(table.qualified)) throw new NoRow(`${table.name} refers to itself in a circle`);
    if (table.reachesOut !== null)
      throw new NoRow(`${table.name} may reach out of the database (${table.reachesOut})`);
    const found = owned ? undefined : await this.anyRow(table);
    const row = found ?? (await this.makeRow(table, tenant, [...path, table.qualified]));
    this.rows.set(`${table.qualified} ${owned ? tenant : ''}`, row);
    return row;
  }

  private async anyRow(table: Relation): Promise<Row | undefined> {
    await this.session.message(this.writer.become(null));
    const found = await this.session.row<{ row: (string | null)[] }>(
      raw(`select ${asText(table)} as row from ${table.qualified} limit 1`),
    );
    return found === undefined ? undefined : rowOf(table, found.row);
  }

  private async makeRow(table: Relation, tenant: string, path: readonly string[]): Promise<Row> {
    const form = new Form(table, randomBytes(6).toString('hex'), this.wanted, this.keyColumns(table));
    if (table.tenanted) form.set(this.tenantColumn, tenant);
    const register = this.owned.registers.get(table.qualified);
    if (register !== undefined) form.set(register, tenant);
    await this.fillReferences(form, table, tenant, path);
    const row = await this.insert(form, table, tenant);
    if (table.tenanted && row.get(this.tenantColumn) !== tenant)
      throw new NoRow(`a trigger puts another value into ${this.tenantColumn}`);
    this.made.push({ table, tenant, row });
    return row;
  }

  /** References that must be there are filled; others are left out, as most rows are allowed to begin. */
  private async fillReferences(
    form: Form,
    table: Relation,
    tenant: string,
    path: readonly string[],
  ): Promise<void> {
    for (const reference of table.references) {
      if (reference.parent === table.qualified) this.referToItself(form, table, reference);
      else if (reference.required) await this.fillReference(form, reference, tenant, path);
      else this.leaveOut(form, table, reference);
    }
  }

  /** What stands in a key without the tenant column must be there for the key to tell anything. */
  private keyColumns({ uniques }: Relation): ReadonlySet<string> {
    const loose = uniques.filter(({ special, columns }) => !special && !columns.includes(this.tenantColumn));
    return new Set(loose.flatMap(({ columns }) => columns));
  }

  private async fillReference(
    form: Form,
    reference: Reference,
    tenant: string,
    path: readonly string[],
  ): Promise<void> {
    const parent = this.tables.get(reference.parent);
    if (parent === undefined) throw new NoRow(`it refers to ${reference.parent}, which is not looked into`);
    const row = await this.rowFor(parent, tenant, path).catch((error: unknown) => {
      throw error instanceof NoRow
        ? new NoRow(`no row of ${parent.name} to refer to: ${error.message}`)
        : error;
    });
    reference.columns.forEach((column, n) => {
      if (column !== this.tenantColumn) form.set(column, row.get(reference.referenced[n] as string) ?? null);
    });
  }

  private referToItself(form: Form, table: Relation, reference: Reference): void {
    if (reference.required) throw new NoRow(`every row of ${table.name} must refer to another one of it`);
    this.leaveOut(form, table, reference);
  }

  private leaveOut(form: Form, table: Relation, { columns }: Reference): void {
    for (const column of table.columns)
      if (columns.includes(column.name) && !column.notNull) form.set(column.name, null);
  }

  private async insert(form: Form, table: Relation, tenant: string): Promise<Row> {
    let refusal: DatabaseError | undefined;
    for (let n = 0; n < TRIES; n += 1) {
      const answer = await this.tryInsert(table, tenant, form.values());
      if (!(answer instanceof Error)) return answer;
      refusal = answer;
      if (!form.improve(answer)) break;
    }
    throw new NoRow(refusal?.message ?? 'nothing fits');
  }

  private async tryInsert(table: Relation, tenant: string, values: Row): Promise<Row | DatabaseError> {
    const become = this.writer.become(this.owned.tables.has(table.qualified) ? tenant : null);
    try {
      const results = await this.session.message(
        `savepoint made; ${become}; ${insertion(table, values).text()} returning ${asText(table)} as row`,
      );
      const found = results.at(-1)?.rows[0] as { row: (string | null)[] } | undefined;
      if (found === undefined) throw new NoRow('a trigger or rule lets no row in');
      return rowOf(table, found.row);
    } catch (error) {
      if (!isDatabaseError(error) || isOvertime(error)) throw error;
      await this.session.message('rollback to savepoint made');
      return error;
    }
  }
}
