import * as z from 'zod';
import { command, flag, text, wholeNumber } from './kinds.js';
import { duration, timeout } from './quantities.js';
import { setting, typed } from './setting.js';

export const moves = setting(
  z
    .strictObject({
      grace: setting(duration().prefault('24h'), 'How long a move can be undone.'),
      maxPause: setting(timeout().prefault('250ms'), 'Longest pause of writes at the cut-over.'),
      maxLag: setting(timeout().prefault('1s'), 'How close the copy must be before the cut-over.'),
      atomicBelow: setting(
        wholeNumber(0, 100_000_000).default(20_000),
        'Rows below which a tenant moves in one transaction within one database.',
      ),
    })
    .prefault({}),
  'Promotions, demotions and relocations.',
);

export const retention = setting(
  z
    .strictObject({
      period: setting(duration().prefault('30d'), 'Time between offboarding and deletion.'),
      export: setting(flag().default(true), 'Whether offboarding exports the data first.'),
      directory: setting(
        text('a folder').default('exports'),
        'Folder for exports of offboarded tenants, from the configuration file.',
      ),
      max: setting(wholeNumber(1, 1_000_000).default(25), 'With more due than this nothing is deleted.'),
      purgeBatch: setting(
        wholeNumber(1, 1_000_000).default(5_000),
        'Rows that one statement deletes from a pool.',
      ),
      purgePause: setting(
        duration().prefault('20ms'),
        'Longest pause between two such statements; a quarter of the time that a statement takes.',
      ),
    })
    .prefault({}),
  'What becomes of tenants that leave.',
);

const hook = (summary: string) =>
  setting(typed(z.array(command()).default([]), 'a list of commands'), summary);

export const hooks = setting(
  z
    .strictObject({
      afterProvision: hook('Run when a tenant has become active; what fails runs again with the same call.'),
      beforeCutover: hook('Run before the writes of a moving tenant pause.'),
      afterFlip: hook('Run when a tenant is at its new home.'),
      afterUndo: hook('Run when a move was undone.'),
      afterSuspend: hook('Run when a tenant was suspended.'),
      afterDelete: hook('Run when a tenant was deleted.'),
      timeout: setting(timeout().prefault('30s'), 'Longest run of one command.'),
    })
    .prefault({}),
  'Commands that run on the way; each gets the tenant as JSON on its standard input.',
);

export const signing = setting(
  z
    .strictObject({
      key: setting(
        text('an Ed25519 private key').optional(),
        'Key that signs certificates and checkpoints; needed there, except with `catalog: local`.',
        { secret: true },
      ),
    })
    .prefault({}),
  'Signatures.',
);
