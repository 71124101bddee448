import { configError } from '../../core/errors.js';
import { positionAt, renderCaret } from '../../core/source-position.js';
import { TIERS, type Tier, isTier } from '../../core/tier.js';
import type { ScriptFile } from '../formats/format.js';
import type { Comment } from './tokens.js';

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
export const KNOWN_DIRECTIVES =
  'Known: no-transaction, batched, irreversible, phase=expand|contract, after=<number>, tiers=pool,schema,database, allow <rule> because <reason>.';
const PREFIX = /^--\s*tenantctl:\s*(.*)$/;
/** Between directives stand blanks or a comma; one before the name of a tier goes on with the list. */
const SEPARATOR = new RegExp(`\\s+|,(?!(?:${TIERS.join('|')})(?:,|\\s|$))`);

/**
 * Reads the directives out of a file's comments.
 * @param comments its `--` comments, as the parser found them
 * @throws configuration error `DIRECTIVE_UNKNOWN` (exit 3) naming file, line and word
 */
export function readDirectives(file: ScriptFile, comments: readonly Comment[]): Directives {
  const directives: Directives = {
    noTransaction: false,
    phase: null,
    after: null,
    tiers: TIERS,
    batched: false,
    irreversible: false,
  };
  for (const comment of comments) {
    const words = PREFIX.exec(comment.text)?.[1]?.trim() ?? '';
    // `allow <rule> because …` speaks to the checks, in free words.
    if (words === '' || words.startsWith('allow ')) continue;
    for (const word of words.replace(/\s*,\s*/g, ',').split(SEPARATOR))
      if (!apply(directives, word)) throw unknownDirective(file, comment, word);
  }
  return directives;
}

/** @returns whether the word is one that is known */
function apply(directives: Directives, word: string): boolean {
  const [name, value = ''] = word.split('=', 2) as [string, string?];
  switch (name) {
    case 'no-transaction':
      directives.noTransaction = true;
      return true;
    case 'batched':
      directives.batched = true;
      return true;
    case 'irreversible':
      directives.irreversible = true;
      return true;
    case 'phase':
      if (value !== 'expand' && value !== 'contract') return false;
      directives.phase = value;
      return true;
    case 'after':
      if (!/^\d+$/.test(value)) return false;
      directives.after = Number(value);
      return true;
    case 'tiers': {
      const tiers = value.split(',').filter(isTier);
      if (tiers.length === 0 || tiers.length !== value.split(',').length) return false;
      directives.tiers = tiers;
      return true;
    }
    default:
      return false;
  }
}

function unknownDirective(file: ScriptFile, comment: Comment, word: string) {
  const position = positionAt(file.sql, comment.start);
  return configError(
    'DIRECTIVE_UNKNOWN',
    `${file.fileName}:${position.line}: "${word}" is no directive.\n${renderCaret(file.sql, position)}`,
    { hint: KNOWN_DIRECTIVES, facts: { file: file.fileName, line: position.line, directive: word } },
  );
}
