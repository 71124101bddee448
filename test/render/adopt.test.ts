import { describe, expect, it } from 'vitest';
import { UNIT_STATES } from '../../src/operations/adopt/report.js';
import {
  type AdoptedShapeView,
  type AdoptedUnitView,
  type AdoptView,
  STATE_MEANINGS,
  adoptText,
  discoveredText,
} from '../../src/render/adopt-text.js';
import { chooseColors } from '../../src/render/colors.js';

const PLAIN = chooseColors({ env: {}, isTTY: false, refused: true });
const COLOURFUL = chooseColors({ env: { FORCE_COLOR: '1' }, isTTY: true, refused: false });

const unit = (name: string, more: Partial<AdoptedUnitView> = {}): AdoptedUnitView => ({
  unit: `schema:${name}`,
  tenants: 1,
  state: 'current',
  tool: 'dbmate',
  shape: null,
  taken: 'adopted',
  reason: null,
  hint: null,
  ...more,
});

const refused = (name: string, state: string, reason: string, hint: string | null = null) =>
  unit(name, { state, taken: 'refused', reason, hint });

const shape = (more: Partial<AdoptedShapeView>): AdoptedShapeView => ({
  shape: 'a1b2c3d4e5f6',
  tier: 'schema',
  version: { id: 148, name: '0148_add_index' },
  units: 1_197,
  examples: ['schema:a', 'schema:b'],
  majority: true,
  difference: [],
  ...more,
});

function view(more: Partial<AdoptView> = {}): AdoptView {
  const { units = [unit('acme')] } = more;
  const adopted = units.filter(({ taken }) => taken === 'adopted').length;
  const existing = units.filter(({ taken }) => taken === 'existing').length;
  return {
    adopted,
    tenants: adopted,
    existing,
    shapes: [],
    units,
    problems: [],
    disappeared: [],
    durationMs: 1_234,
    ...more,
  };
}

const dryRun = (more: Partial<AdoptView>, from = 'fleet.csv') =>
  adoptText(view(more), { dryRun: true, from }, PLAIN);

const named = (count: number, prefix = 't') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe('what adopting would do', () => {
  it('is one table of states, worst first, then the units that need a person, and what comes next', () => {
    const units = [
      unit('acme'),
      unit('beta', { state: 'behind' }),
      unit('crux', { taken: 'existing' }),
      refused('dirty', 'dirty', '0007_note has failed', 'Run: flyway repair'),
      refused('gone', 'unreachable', 'there is no database crm'),
    ];
    expect(dryRun({ units })).toMatchInlineSnapshot(`
      "2 units (2 tenants) to take in, 1 under management already, 2 refused in 1.2 s

      STATE        UNITS  TENANTS  WHAT IT MEANS
      unreachable  1      1        the place is not there, or could not be reached
      dirty        1      1        a migration failed there, or was left half done
      behind       1      1        it lacks the newest files; \`migrate\` brings them
      current      2      2        it has every file

      unreachable (1 unit)
        schema:gone: there is no database crm

      dirty (1 unit)
        schema:dirty: 0007_note has failed
        → Run: flyway repair

      Nothing was changed.

      Next
        tenantctl adopt --from fleet.csv  takes 2 units in; nothing of the application changes"
    `);
  });

  it('tells units with the same reason together, and how many more there are', () => {
    const units = named(185).map((name) =>
      refused(name, 'dirty', '0007_note has failed', 'Run: flyway repair'),
    );
    const text = dryRun({ units });
    expect(text).toContain(
      'dirty (185 units)\n  schema:t0, schema:t1, schema:t2, schema:t3, schema:t4 and 180 more: 0007_note',
    );
    expect(text.split('flyway repair')).toHaveLength(2);
  });

  it('shows some twenty lines of a state, whatever there is, and counts the others', () => {
    const units = named(200).map((name) =>
      refused(name, 'edited', `file of ${name} was edited`, `mend ${name}`),
    );
    const lines = dryRun({ units }).split('\n');
    expect(lines.length).toBeLessThan(40);
    expect(lines).toContain('  and 190 more; --json lists all');
  });

  it('names units whose version no ledger of another tool tells', () => {
    expect(dryRun({ units: [unit('acme'), unit('beta', { tool: null })] })).toContain(
      'No ledger of another tool tells the version of schema:beta: column version, shape or our own ledger does.',
    );
    expect(dryRun({ units: [unit('acme'), refused('b', 'dirty', 'x')] })).not.toContain('No ledger');
  });

  it('lists shapes only of versions that have several, with what distinguishes the few and how to take them in', () => {
    const odd = shape({
      shape: 'e5f60718aaaa',
      units: 3,
      examples: ['schema:acme', 'schema:beta', 'schema:crux'],
      majority: false,
      difference: ['index invoice_total is missing'],
    });
    const other = shape({ shape: 'ffff', version: { id: 149, name: '0149_other' }, units: 2 });
    const few = ['acme', 'beta', 'crux'].map((name) => ({
      ...refused(name, 'differs', 'it differs'),
      shape: odd.shape,
    }));
    const text = dryRun({ units: few, shapes: [odd, shape({}), other] });
    expect(text.slice(text.indexOf('Shapes'), text.indexOf('Nothing'))).toMatchInlineSnapshot(`
      "Shapes
        a1b2c3d4  1,197 units of tier schema at 0148_add_index (most)
        e5f60718  3 units of tier schema at 0148_add_index: schema:acme, schema:beta, schema:crux
                  index invoice_total is missing
                  → --accept e5f60718 takes them in as they are

      "
    `);
    const accepted = dryRun({ units: [unit('acme', { shape: odd.shape })], shapes: [odd, shape({})] });
    expect(accepted).toContain('accepted as it is');
    expect(accepted).not.toContain('--accept');
    expect(dryRun({ shapes: [shape({})] })).not.toContain('Shapes');
  });

  it('names rows that cannot be read by their line, twenty of them', () => {
    const problems = named(30).map((id, at) => ({
      line: at + 2,
      id: at === 0 ? null : id,
      message: 'it has no schema',
    }));
    const text = dryRun({ units: [], problems });
    expect(text).toContain('  line 2: it has no schema\n  line 3 t1: it has no schema');
    expect(text).toContain('  and 10 more; --json lists all');
  });

  it('offers the very command without --dry-run, unless the list came through a pipe', () => {
    expect(dryRun({})).toContain('  tenantctl adopt --from fleet.csv  takes 1 unit in');
    expect(dryRun({}, '-')).toContain('  the same without --dry-run  takes 1 unit in');
    expect(dryRun({ units: [refused('a', 'dirty', 'x')] })).not.toContain('Next');
  });
});

describe('what adopting has done', () => {
  const done = (more: Partial<AdoptView>, colors = PLAIN) =>
    adoptText(view(more), { dryRun: false, from: 'fleet.csv' }, colors);

  it('ends with what to type next, and says what has disappeared', () => {
    const text = done({
      units: [unit('a', { state: 'behind' })],
      disappeared: ['schema:old', 'database:crm'],
    });
    expect(text).toMatch(
      /^ok 1 unit \(1 tenant\) taken in, 0 under management already, 0 refused in 1\.2 s\n/,
    );
    expect(text).toContain('Adopted earlier, and not there any more\n  schema:old\n  database:crm');
    expect(text).toContain('  tenantctl migrate --dry-run  what the units that are behind would get');
    expect(text).not.toContain('Nothing was changed');
  });

  it('has colours on a terminal only', () => {
    const units = [unit('a'), refused('b', 'dirty', 'x', 'y')];
    expect(done({ units })).not.toContain('\u001B');
    expect(done({ units }, COLOURFUL)).toContain('\u001B[31mdirty\u001B[39m');
  });

  it('cuts a reason that names thousands of places', () => {
    const units = [refused('a', 'unknown-ledger', named(5_000).join(' and '))];
    expect(
      Math.max(
        ...done({ units })
          .split('\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThan(400);
  });

  it('lets no name or reason steer the terminal', () => {
    const units = [refused('a\u001B[2J\nb', 'dirty', 'bad\u0007\nline', 'hint\u001B')];
    expect(done({ units, disappeared: ['x\u001B'] }).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

it('every state of a unit has its meaning, and nothing else has one', () => {
  expect(Object.keys(STATE_MEANINGS).toSorted()).toEqual([...UNIT_STATES].toSorted());
});

describe('a summary of what was found', () => {
  it('counts tenants by tier and names the next command', () => {
    const units = [{ tier: 'pool' }, { tier: 'schema' }, { tier: 'schema' }] as const;
    expect(discoveredText(units, 'fleet.csv')).toBe(
      'Found 3 tenants: 1 in a pool, 2 in schemas of their own. Read the list, correct it, then: tenantctl adopt --from fleet.csv --dry-run',
    );
    expect(discoveredText([], undefined)).toContain('--schemas and --databases');
  });
});
