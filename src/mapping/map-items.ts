import type { PluginHost } from '../contracts/plugin-host.ts'
import { type Item, type Mapped, mapItem } from './map-item.ts'
import type { TenantMapping } from './tenant-mapping.ts'

/**
 * What items of one tenant become, in their order. Answers at once unless a plugin has to be called. Never throws and
 * never rejects: what cannot be mapped is dead, with its reason.
 */
export function mapItems(
  items: readonly Item[],
  { tenant }: TenantMapping,
  _plugins: PluginHost,
): readonly Mapped[] | Promise<readonly Mapped[]> {
  return items.map((item) => mapItem(item, tenant))
}
