import fc from 'fast-check';

/** One change of the tenant's rows, all or nothing; numbers are small, so that changes meet. */
export interface Change {
  kind: string;
  a: number;
  b: number;
}

/** What an application may do to the zoo. A change that a constraint refuses does not happen. */
const CHANGES: Record<string, (a: number, b: number) => string> = {
  'new customer': (a, b) =>
    `insert into customer (tenant_id, id, email, name) values ($t, ${a}, 'c${b}@example.com', 'Name ${b}')`,
  'customer gone': (a) => `delete from customer where id = ${a}`,
  'customer with all invoices gone': (a) =>
    `delete from invoice where customer_id = ${a}; delete from customer where id = ${a}`,
  'new address': (a, b) => `update customer set email = 'c${b}' where id = ${a}`,
  'addresses exchanged': (a, b) => swap('customer', 'email', 'text', a, b),
  'names exchanged': (a, b) => swap('customer', 'name', 'text', a, b),
  'customer renumbered': (a, b) => `update customer set id = ${b} where id = ${a}`,
  'customer replaced': (a, b) =>
    `update purchase set customer_id = null where customer_id = ${a}; delete from invoice where customer_id = ${a};
     insert into customer (tenant_id, id, email) select $t, ${b} + 6, email || '~' from customer where id = ${a};
     delete from customer where id = ${a}; update customer set email = rtrim(email, '~') where id = ${b} + 6`,
  'new values': (a, b) =>
    `update customer set amount = ${b}.10, mood = 'happy', doc = '{"b": ${b}}', tags = null where id = ${a}`,
  'new purchase': (a, b) =>
    `insert into purchase (tenant_id, id, customer_id, region, amount) values ($t, ${a}, ${b}, 'us', ${b} * 60)`,
  'purchase gone': (a) => `delete from purchase where id = ${a}`,
  'purchase handed on': (a, b) =>
    `update purchase set customer_id = nullif(${b}, 6), amount = ${b} * 70 where id = ${a}`,
  'purchase renumbered': (a, b) => `update purchase set id = ${b} where id = ${a}`,
  'new item': (a, b) =>
    `insert into item (tenant_id, id, purchase_id, line) overriding system value values ($t, ${a}, ${b}, ${a})`,
  'item gone': (a) => `delete from item where id = ${a}`,
  'items exchanged': (a, b) => swap('item', 'line', 'int', a, b, '-1'),
  'item handed on': (a, b) => `update item set purchase_id = ${b} where id = ${a}`,
  'new invoice': (a, b) =>
    `insert into invoice (tenant_id, id, customer_id, number) values ($t, ${a}, ${b}, 'I-${b}')`,
  'invoice numbers exchanged': (a, b) => swap('invoice', 'number', 'text', a, b),
  'new employee': (a, b) =>
    `insert into employee (tenant_id, id, slot, manager_id, team_id) values ($t, ${a}, 's${b}', (select min(id) from employee), null)`,
  'employee gone': (a) => `delete from employee where id = ${a}`,
  'slots exchanged': (a, b) => swap('employee', 'slot', 'text', a, b),
  'slot handed on': (a, b) =>
    `update employee set slot = slot || '~' where id = ${a}; update employee set slot = 's${b}' where id = ${a}`,
  'new manager': (a, b) => `update employee set manager_id = ${b} where id = ${a}`,
  'team gone': (a) =>
    `update employee set team_id = null where team_id = ${a}; delete from team where id = ${a}`,
  'new team': (a, b) =>
    `insert into team (tenant_id, id, lead_id) values ($t, ${a}, ${b}); update employee set team_id = ${a} where id = ${b}`,
  'new ticket': (a, b) =>
    `insert into ticket (tenant_id, id, assignee_id, slot) values ($t, ${a}, ${b}, 's${b}')`,
  'ticket gone': (a) => `delete from ticket where id = ${a}`,
  'new folder': (a, b) =>
    `insert into folder (tenant_id, id, parent_id, name) values ($t, ${a}, nullif(${b}, 6), 'f')`,
  'folder moved': (a, b) => `update folder set parent_id = nullif(${b}, ${a}), name = 'f' where id = ${a}`,
  'folder gone': (a) => `delete from folder where id = ${a}`,
  'folder names exchanged': (a, b) => swap('folder', 'name', 'text', a, b),
  'new pair': (a, b) =>
    `insert into pa values ($t, ${a}, ${b}, ${a}); insert into pb values ($t, ${b}, ${a}, ${b})`,
  'pair gone': (a) =>
    `delete from pa where id = ${a}; delete from pb where id not in (select b_id from pa); delete from pa where b_id not in (select id from pb)`,
  'pair codes exchanged': (a, b) =>
    `${swap('pa', 'code', 'int', a, b, '-1')}; ${swap('pb', 'v', 'int', b, a, '-1')}`,
  'positions turned': (a, b) =>
    `update position set pos = 1 + (pos + ${a}) % 6, list = case when id = ${b} then 2 else 1 end`,
  'position gone': (a) => `delete from position where id = ${a}`,
  'seats exchanged': (a, b) =>
    `create temp table s on commit drop as select * from seat where id in (${a}, ${b}); update seat set block = '~' || id, label = '~' || id where id in (${a}, ${b});
     update seat x set block = s.block, place = s.place, label = upper(s.label) from s where x.id in (${a}, ${b}) and s.id = ${a} + ${b} - x.id; drop table s`,
  'places exchanged': (a, b) => swapPlaces(a, b),
  'seat gone': (a) => `delete from seat where id = ${a}`,
  'new seat': (a, b) => `insert into seat values ($t, ${a}, null, nullif(${b}, 6), 'SEAT ${b}')`,
  'new booking': (a, b) =>
    `insert into booking (tenant_id, id, seat_tenant, seat_id, fallback) values ($t, ${a}, $t, ${b}, ${a})`,
  'booking let go': (a) => `update booking set seat_tenant = null, seat_id = null where id = ${a}`,
  'titles exchanged': (a, b) =>
    `update note set title = title || '~' where id in (${note(a)}, ${note(b)});
     update note set title = 'note ${a}' where id = ${note(b)}; update note set title = 'note ${b}' where id = ${note(a)}`,
  'note gone': (a) => `delete from note where id = ${note(a)}`,
  'note longer': (a, b) => `update note set body = body || '${b}' where id = ${note(a)}`,
  'new tag': (a, b) => `insert into tag values ($t, ${note(a)}, 'x${b}')`,
  'new event': (a, b) =>
    `insert into event values ($t, ${a}, 'new ${b}') on conflict (tenant_id, id) do update set payload = excluded.payload`,
  'event gone': (a) => `delete from event where id = ${a}`,
};

/** A value that must be unique goes from each to the other, by way of a third. */
function swap(table: string, column: string, type: string, a: number, b: number, third = `'~'`): string {
  const value = (id: number) => `(select v from swapped where id = ${id})`;
  return `create temp table swapped on commit drop as select id, ${column} as v from ${table} where id in (${a}, ${b});
    update ${table} set ${column} = ${third}::${type} where id = ${a} and exists (select from swapped where id = ${b});
    update ${table} set ${column} = ${value(a)} where id = ${b} and exists (select from swapped where id = ${a});
    update ${table} set ${column} = ${value(b)} where id = ${a} and exists (select from swapped where id = ${b});
    drop table swapped`;
}

/** Of seats, whose place may be NULL. */
function swapPlaces(a: number, b: number): string {
  return `create temp table s on commit drop as select * from seat where id in (${a}, ${b});
    update seat set block = '~' || id where id in (${a}, ${b});
    update seat x set block = s.block, place = s.place from s where x.id in (${a}, ${b}) and s.id = ${a} + ${b} - x.id;
    update seat set block = null where id = ${a} and ${a} = ${b};
    drop table s`;
}

const note = (n: number): string => `md5($t::text || ${n})::uuid`;

export function sqlOf({ kind, a, b }: Change): string {
  const write = CHANGES[kind];
  if (write === undefined) throw new Error(`no such change: ${kind}`);
  return write(a, b);
}

const small = fc.integer({ min: 1, max: 8 });

export const anyChange: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...Object.keys(CHANGES)),
  a: small,
  b: small,
});

export const EVERY_KIND: readonly string[] = Object.keys(CHANGES);
