-- What a schema was last seen to consist of, so that the next look at it reads only what has changed.

create table tenantctl.look (
  schema   oid  primary key,
  -- The transaction that wrote the schema's own row: with another one this is another schema.
  born     text not null,
  -- A number for its lines; see the shape of units.
  likeness text not null,
  -- All that transactions before this one have done is in the likeness.
  horizon  xid8 not null,
  -- How the likeness was made; one made otherwise is not compared.
  method   text not null
);
comment on table tenantctl.look is 'The last look at each schema; may be emptied at any time';
