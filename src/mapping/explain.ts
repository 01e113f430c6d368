import type { JsonObject } from '../contracts/json.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import { type Item, type Mapped, mapItem } from './map-item.ts'
import type { TenantMapping } from './tenant-mapping.ts'

/** What an item becomes, and how. */
export interface Explanation {
  /** In words, such as `completed, survey "Product NPS"`. */
  readonly subject: string
  /** The messages before any rule, as JSON objects without their IDs. */
  readonly start: readonly JsonObject[]
  /** Rules, then plugins, in order. */
  readonly steps: readonly Step[]
  readonly mapped: Mapped
}

/** What a rule or plugin did. */
export interface Step {
  readonly kind: 'rule' | 'plugin'
  readonly name: string
  /** As `refiner-sync.yaml:31:11`. */
  readonly place: string
  /** `not_matched`: its `when` was false. `not_reached`: a rule before it stopped or skipped. */
  readonly result: 'applied' | 'not_matched' | 'not_reached' | 'skipped' | 'failed'
  /** Why it did not match, skipped, or failed, in words; null when it was applied. */
  readonly why: string | null
  /** The messages after it. */
  readonly messages: readonly JsonObject[]
}

/** Maps one item as `mapItems` does, and tells how it came about. */
export async function explainItem(
  item: Item,
  { tenant }: TenantMapping,
  _plugins: PluginHost,
): Promise<Explanation> {
  return { subject: '', start: [], steps: [], mapped: mapItem(item, tenant) }
}
