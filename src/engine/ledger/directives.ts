import { configError } from '../../core/errors.js';
import { TIERS, type Tier, isTier } from '../../core/tier.js';

/** What a migration file says about itself in `-- tenantctl: …` comments. */
export interface Directives {
  /** Its statements cannot run in a transaction. */
  noTransaction: boolean;
  phase: 'expand' | 'contract' | null;
  /** The expand migration that a contract one completes. */
  after: number | null;
  /** The tiers it is for. */
  tiers: readonly Tier[];
  /** Repeated until it touches no row, one commit each time. */
  batched: boolean;
  /** There is no way back; `rollback` refuses to pass it. */
  irreversible: boolean;
}

/** Every directive begins with it, after the dashes. */
export const DIRECTIVE_MARK = 'tenantctl:';
const PREFIX = /^--\s*tenantctl:\s*(.*)$/;
/** Between directives stand blanks or a comma; one before the name of a tier goes on with the list. */
const SEPARATOR = new RegExp(`\\s+|,(?!(?:${TIERS.join('|')})(?:,|\\s|$))`);

/**
 * Reads the directives out of a file's comments.
 * @param comments the texts of its `--` comments, as the parser found them
 * @throws configuration error `DIRECTIVE_UNKNOWN` (exit 3) naming file and word
 */
export function readDirectives(fileName: string, comments: readonly string[]): Directives {
  const directives: Directives = {
    noTransaction: false,
    phase: null,
    after: null,
    tiers: TIERS,
    batched: false,
    irreversible: false,
  };
  for (const comment of comments) {
    const words = PREFIX.exec(comment)?.[1]?.trim() ?? '';
    // `allow <rule> because …` speaks to the checks, in free words.
    if (words === '' || words.startsWith('allow ')) continue;
    for (const word of words.replace(/\s*,\s*/g, ',').split(SEPARATOR)) apply(directives, word, fileName);
  }
  return directives;
}

function apply(directives: Directives, word: string, fileName: string): void {
  const [name, value = ''] = word.split('=', 2) as [string, string?];
  switch (name) {
    case 'no-transaction':
      directives.noTransaction = true;
      return;
    case 'batched':
      directives.batched = true;
      return;
    case 'irreversible':
      directives.irreversible = true;
      return;
    case 'phase':
      if (value !== 'expand' && value !== 'contract') break;
      directives.phase = value;
      return;
    case 'after':
      if (!/^\d+$/.test(value)) break;
      directives.after = Number(value);
      return;
    case 'tiers': {
      const tiers = value.split(',').filter(isTier);
      if (tiers.length === 0 || tiers.length !== value.split(',').length) break;
      directives.tiers = tiers;
      return;
    }
    default:
  }
  throw configError('DIRECTIVE_UNKNOWN', `${fileName}: cannot read "-- tenantctl: ${word}".`, {
    hint: 'Known: no-transaction, batched, irreversible, phase=expand|contract, after=<number>, tiers=pool,schema,database.',
    facts: { file: fileName, directive: word },
  });
}
