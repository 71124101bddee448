import { rememberSecret, rememberUrl } from '../core/redact.js';
import { settingPaths } from './input.js';
import { leafAt } from './leaves.js';
import { getAt } from './tree.js';

/** Makes every secret in the tree known to the redaction, whether or not the tree is valid. */
export function rememberSecrets(tree: unknown): void {
  for (const path of settingPaths(tree)) {
    const value = getAt(tree, path);
    if (typeof value !== 'string' || leafAt(path)?.secret !== true) continue;
    if (path.at(-1) === 'url') rememberUrl(value);
    else rememberSecret(value);
  }
}
