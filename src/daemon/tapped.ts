import type { Tap, TapEvent, TapState } from '../console/tap.ts'
import type { Lane } from '../dispatch/lane.ts'
import type { Settled } from '../dispatch/settle.ts'
import type { MappedItem } from '../store/record-mapped.ts'
import type { Replayed } from '../store/replay.ts'

/** Lets those who read along see what items became. */
export function tapMapped(tap: Tap, mapped: readonly MappedItem[]): void {
  const count = mapped.reduce((sum, { deliveries }) => sum + deliveries.length, 0)
  tap.publish(count, function* (): Iterable<TapEvent> {
    for (const { item, deliveries } of mapped) {
      for (const { destination, call, state, reason } of deliveries) {
        const { tenant, id: input } = item
        yield {
          tenant,
          destination,
          call,
          state: state === 'pending' ? 'queued' : state,
          delivery: null,
          input,
          reason,
        }
      }
    }
  })
}

const STATES: Record<Settled['state'], TapState> = {
  delivered: 'delivered',
  dead: 'dead',
  pending: 'retrying',
}

/** Lets those who read along see what became of deliveries. */
export function tapSettled(
  tap: Tap,
  { tenant, destination }: Pick<Lane, 'tenant' | 'destination'>,
  settled: readonly Settled[],
): void {
  tap.publish(settled.length, function* (): Iterable<TapEvent> {
    for (const { delivery, state, reason } of settled) {
      const { id, call } = delivery
      yield { tenant, destination, call, state: STATES[state], delivery: id, input: null, reason }
    }
  })
}

/** Lets those who read along see what was replayed. */
export function tapReplayed(
  tap: Tap,
  done: readonly { readonly id: number; readonly replayed: Replayed }[],
): void {
  const events = done.flatMap(({ id, replayed }): TapEvent[] => {
    if (replayed.kind !== 'resent' && replayed.kind !== 'remapped') return []
    const { kind: reason, tenant, destination } = replayed
    return [{ tenant, destination, call: '', state: 'replayed', delivery: id, input: null, reason }]
  })
  tap.publish(events.length, () => events)
}
