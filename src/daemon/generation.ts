import type { Configuration } from '../contracts/configuration.ts'
import type { InboxAppender } from '../contracts/inbox.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import { adminCheck, createIntake, type Intake } from '../intake/server.ts'
import type { Mappings } from '../mapping/mapper.ts'
import { compileMapping } from '../mapping/tenant-mapping.ts'

/** All that depends on the configuration and holds nothing of its own: replaced as a whole by the next one. */
export interface Generation {
  readonly configuration: Configuration
  readonly intake: Intake
  readonly mappings: Mappings
  readonly isAdmin: (token: string) => boolean
}

export function createGeneration(
  configuration: Configuration,
  plugins: PluginHost,
  inbox: InboxAppender,
): Generation {
  const { server, tenants } = configuration
  const mappings = [...tenants.values()].map((tenant) => [tenant.name, compileMapping(tenant)] as const)
  return {
    configuration,
    intake: createIntake(server, tenants, inbox),
    mappings: { tenants: new Map(mappings), plugins },
    isAdmin: adminCheck(server),
  }
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
