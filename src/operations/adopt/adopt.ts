import type { Fleet } from '../../engine/context.js';
import type { AdoptReport } from './report.js';
import type { AdoptOptions, AdoptRow } from './request.js';

/**
 * Takes an existing fleet under management. Only the catalog and schema `tenantctl` are written; no object of the application is
 * touched. The same list again takes in what is new, and finishes what a crash has left half done.
 */
export function adopt(
  _fleet: Fleet,
  _rows: AsyncIterable<AdoptRow>,
  _options: AdoptOptions,
): Promise<AdoptReport> {
  return Promise.reject(new Error('not there yet'));
}
