import type { Configuration, ServerSettings } from '../contracts/configuration.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import { secretsEqual } from '../intake/authenticate.ts'
import type { Mappings } from '../mapping/mapper.ts'
import { compileMapping } from '../mapping/tenant-mapping.ts'

/** All that depends on the configuration and holds nothing of its own: replaced as a whole by the next one. */
export interface Generation {
  readonly configuration: Configuration
  readonly mappings: Mappings
  readonly isAdmin: (token: string) => boolean
}

export function createGeneration(configuration: Configuration, plugins: PluginHost): Generation {
  const { server, tenants } = configuration
  const mappings = [...tenants.values()].map((tenant) => [tenant.name, compileMapping(tenant)] as const)
  return {
    configuration,
    mappings: { tenants: new Map(mappings), plugins },
    isAdmin: adminCheck(server),
  }
}

/** Whether a request's token is the admin token; without one configured, none is. */
function adminCheck({ adminToken }: ServerSettings): (token: string) => boolean {
  return (token) => adminToken !== null && secretsEqual(token, adminToken)
}

/** A configuration as far as it can be put in force without a restart. */
export function withFixedSettings(
  next: Configuration,
  { server: { host, port }, database }: Configuration,
): { configuration: Configuration; needsRestart: string[] } {
  const needsRestart: string[] = []
  if (next.server.host !== host) needsRestart.push('server.host')
  if (next.server.port !== port) needsRestart.push('server.port')
  if (next.database.path !== database.path) needsRestart.push('database')
  return { configuration: { ...next, server: { ...next.server, host, port }, database }, needsRestart }
}
