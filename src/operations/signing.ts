import { configError } from '../core/errors.js';
import type { FleetSettings } from '../core/settings.js';
import { type SigningKey, parseSigningKey } from '../core/signature.js';

/**
 * The key that signs for this fleet.
 * @throws configuration error `SIGNING_KEY_MISSING` or `SIGNING_KEY_INVALID` (exit 3)
 */
export function requireSigningKey({ signing }: Pick<FleetSettings, 'signing'>): SigningKey {
  if (signing.key !== null) return parseSigningKey(signing.key);
  throw configError('SIGNING_KEY_MISSING', 'No key is configured that could sign this.', {
    hint: 'Make one with `openssl genpkey -algorithm ed25519 -out signing-key.pem`, keep it where secrets are kept, and give it as TENANTCTL_SIGNING_KEY, or as signing.key in the configuration.',
    facts: { path: 'signing.key' },
  });
}
