import type { Tenant } from '../../src/contracts/configuration.ts'
import type { PluginHost } from '../../src/contracts/plugin-host.ts'
import type { Item, Mapped } from '../../src/mapping/map-item.ts'
import { mapItems } from '../../src/mapping/map-items.ts'
import { compileMapping } from '../../src/mapping/tenant-mapping.ts'

/** For tenants without plugins: fails the test that calls one. */
export const noPlugins: PluginHost = {
  call: (plugin) => Promise.reject(new Error(`plugin ${plugin} was called`)),
  stop: () => {},
}

/** What an item of a tenant without plugins becomes. */
export function mapped(item: Item, tenant: Tenant): Mapped {
  const result = mapItems([item], compileMapping(tenant), noPlugins)
  if (result instanceof Promise) throw new Error('mapping without plugins answers at once')
  return result[0]!
}
