import type { Deliveries } from '../console/deliveries.ts'
import type { Tap } from '../console/tap.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Log } from '../observe/log.ts'
import { findDelivery, listPart } from '../store/deliveries.ts'
import type { Store } from '../store/open.ts'
import {
  beginReplayOf,
  continueReplay,
  countPart,
  planReplay,
  replayDelivery,
  type Replayed,
} from '../store/replay.ts'
import { listReplays } from '../store/replays.ts'
import { tapReplayed } from './tapped.ts'

export interface OperatorDeliveriesParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly tap: Tap
  /** Whether the configuration names the tenant. */
  readonly isKnown: (tenant: string) => boolean
  /** Says that there are items to be mapped. */
  readonly wakeMapper: () => void
  /** Says that there is something to send for this tenant. */
  readonly wakeLanes: (tenant: string) => void
}

/** Between two parts of something long, each of some milliseconds. */
const REST_MS = 2

/** The deliveries as the operator sees and replays them; each replay is in the log and in the database. */
export function operatorDeliveries(parts: OperatorDeliveriesParts): Deliveries {
  const { store, clock, isKnown, log } = parts
  return {
    now: () => clock.now(),
    rest: () => new Promise((resolve) => clock.after(REST_MS, resolve)),
    listPart: (filter) => listPart(store, filter),
    find: (id) => findDelivery(store, id),
    plan: (id, remap) => planReplay(store, id, { remap, isKnown }),
    countPart: (filter, place, remap) => countPart(store, filter, place, { remap, isKnown }),
    replays: (limit) => listReplays(store, { limit }),
    replay(id, { by, remap }) {
      const replayed = replayDelivery(store, id, { by, remap, isKnown, now: clock.now() })
      if (replayed.kind === 'resent' || replayed.kind === 'remapped') {
        const { kind, tenant, destination } = replayed
        log.info({ delivery: id, tenant, destination, by, as: kind }, 'replayed')
      }
      wakeAfter(parts, [{ id, replayed }])
      return replayed
    },
    beginReplay(filter, { by, remap }) {
      return beginReplayOf(store, filter, { by, remap, isKnown, now: clock.now() })
    },
    continueReplay(id) {
      const part = continueReplay(store, id, { isKnown, now: clock.now() })
      if (part === null) return null
      const { resent, remapped, orphaned, by } = part.record
      if (part.ended) log.info({ replay: id, by, resent, remapped, orphaned }, 'replayed')
      wakeAfter(parts, part.done)
      return part
    },
  }
}

function wakeAfter(
  { tap, wakeMapper, wakeLanes }: OperatorDeliveriesParts,
  done: readonly { readonly id: number; readonly replayed: Replayed }[],
): void {
  tapReplayed(tap, done)
  const resent = new Set<string>()
  for (const { replayed } of done) if (replayed.kind === 'resent') resent.add(replayed.tenant)
  for (const tenant of resent) wakeLanes(tenant)
  if (done.some(({ replayed }) => replayed.kind === 'remapped')) wakeMapper()
}
