import type { PluginHost } from '../contracts/plugin-host.ts'
import {
  deadWhole,
  isUnfinished,
  type Item,
  type Mapped,
  mapItem,
  mappingFailed,
  type Unfinished,
} from './map-item.ts'
import { peopleOfInteraction } from './people.ts'
import { afterPlugin, pluginCall } from './plugin-calls.ts'
import type { TenantMapping } from './tenant-mapping.ts'
import { deliveriesOf } from './to-segment.ts'

/** Items that go to a plugin together: while they are there, the next ones get ready here. */
const AT_ONCE = 8

/**
 * What items of one tenant become, in their order. Answers at once unless a plugin has to be called. Never throws and
 * never rejects: what cannot be mapped is dead, with its reason.
 */
export function mapItems(
  items: readonly Item[],
  mapping: TenantMapping,
  plugins: PluginHost,
): readonly Mapped[] | Promise<readonly Mapped[]> {
  const stages: (readonly Mapped[] | Promise<readonly Mapped[]>)[] = []
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const some = items.slice(from, from + AT_ONCE).map((item) => mapItem(item, mapping))
    const done = some.filter((stage): stage is Mapped => !isUnfinished(stage))
    stages.push(done.length === some.length ? done : throughPlugins(some, mapping, plugins))
  }
  const finished = stages.filter((stage): stage is readonly Mapped[] => !(stage instanceof Promise))
  if (finished.length === stages.length) return finished.flat()
  return together(stages)
}

async function together(
  stages: readonly (readonly Mapped[] | Promise<readonly Mapped[]>)[],
): Promise<readonly Mapped[]> {
  const all: Mapped[] = []
  for (const stage of stages) all.push(...(await stage))
  return all
}

/** Passes what is unfinished through the tenant's plugins, one after the other. */
async function throughPlugins(
  stages: readonly (Mapped | Unfinished)[],
  { tenant }: TenantMapping,
  host: PluginHost,
): Promise<readonly Mapped[]> {
  let now = [...stages]
  for (const plugin of tenant.toSegment.plugins) {
    const open = now.filter(isUnfinished)
    if (open.length === 0) break
    const calls = open.map(({ parts, messages, item }) => pluginCall(parts, messages, item.payload))
    const results = await host.call(plugin, tenant.name, calls)
    let next = 0
    now = now.map((stage) => {
      if (!isUnfinished(stage)) return stage
      const result = results[next++]
      if (result === undefined) return mappingFailed(stage.item, new Error('a plugin gave no result'))
      return afterCall(plugin, stage, result)
    })
  }
  return now.map((stage) => (isUnfinished(stage) ? finish(stage) : stage))
}

/** An item after one of its plugins: finished where the plugin skipped it or failed. */
export function afterCall(
  plugin: string,
  stage: Unfinished,
  result: Parameters<typeof afterPlugin>[1],
): Mapped | Unfinished {
  const { item, interaction, messages, parts, notes } = stage
  try {
    const after = afterPlugin(plugin, result, messages, parts, notes)
    switch (after.kind) {
      case 'messages':
        return { ...stage, messages: after.messages }
      case 'skipped':
        return { deliveries: [after.delivery], people: peopleOfInteraction(interaction) }
      case 'failed':
        return deadWhole(item, after.reason, after.detail)
    }
  } catch (error) {
    return mappingFailed(item, error)
  }
}

/** An item that has been through all its plugins. */
export function finish({ item, interaction, messages, notes }: Unfinished): Mapped {
  try {
    return { deliveries: deliveriesOf(messages, notes), people: peopleOfInteraction(interaction) }
  } catch (error) {
    return mappingFailed(item, error)
  }
}
