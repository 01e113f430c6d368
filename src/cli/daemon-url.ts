import { readServerAddress } from '../config/server-address.ts'
import type { CommandContext } from './context.ts'

/** Where the daemon of a configuration can be reached from this machine. */
export function daemonUrl(config: string, { environment }: CommandContext): string {
  const { host, port } = readServerAddress(config, environment)
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
