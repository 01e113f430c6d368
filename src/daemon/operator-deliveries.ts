import type { Deliveries } from '../console/deliveries.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Log } from '../observe/log.ts'
import { findDelivery, listDeliveries } from '../store/deliveries.ts'
import type { Store } from '../store/open.ts'
import { newestId, replayDeliveries, replayDelivery, type Replayed } from '../store/replay.ts'

export interface OperatorDeliveriesParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Whether the configuration names the tenant. */
  readonly isKnown: (tenant: string) => boolean
  /** Says that there are items to be mapped. */
  readonly wakeMapper: () => void
  /** Says that there is something to send for this tenant. */
  readonly wakeLanes: (tenant: string) => void
}

/** The deliveries as the operator sees and replays them; each replay is in the log. */
export function operatorDeliveries(parts: OperatorDeliveriesParts): Deliveries {
  const { store, clock, isKnown } = parts
  return {
    list: (filter) => listDeliveries(store, filter),
    find: (id) => findDelivery(store, id),
    newestId: () => newestId(store),
    replay(id) {
      const replayed = replayDelivery(store, id, clock.now(), isKnown)
      afterReplay(parts, [{ id, replayed }])
      return replayed
    },
    replayMatching(filter) {
      const part = replayDeliveries(store, filter, clock.now(), isKnown)
      afterReplay(parts, part.done)
      return part
    },
  }
}

function afterReplay(
  { log, wakeMapper, wakeLanes }: OperatorDeliveriesParts,
  done: readonly { readonly id: number; readonly replayed: Replayed }[],
): void {
  const resent = new Set<string>()
  let remapped = false
  for (const { id, replayed } of done) {
    if (replayed.kind !== 'resent' && replayed.kind !== 'remapped') continue
    const { kind, tenant, destination } = replayed
    log.info({ delivery: id, tenant, destination, by: 'admin', as: kind }, 'replayed')
    if (kind === 'resent') resent.add(tenant)
    else remapped = true
  }
  for (const tenant of resent) wakeLanes(tenant)
  if (remapped) wakeMapper()
}
