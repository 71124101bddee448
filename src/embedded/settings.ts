/**
 * What every local server runs with. There is no Unix socket: nothing needs one, its path has a length
 * limit, and a killed server would leave its folder behind.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
  max_connections: '200',
  max_replication_slots: '10',
  max_wal_senders: '10',
  shared_buffers: '128MB',
  wal_level: 'logical',
};

/** The settings of one start; those of the caller win, the port among them. */
export function serverSettings(
  port: number,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...DEFAULTS, port: String(port), ...wanted };
}
