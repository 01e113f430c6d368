import type { Trials } from '../console/segment-trial.ts'
import type { Segments } from '../console/segments.ts'
import type { Clock } from '../contracts/clock.ts'
import type { SegmentKeeper } from '../segments/keeper.ts'
import { tryCondition } from '../segments/try-condition.ts'
import type { Store } from '../store/open.ts'

/** Between two parts of something long, each of some milliseconds. */
const REST_MS = 2

/** The segments as the operator sees them. */
export function operatorSegments({
  store,
  clock,
  keeper,
  tenants,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly keeper: SegmentKeeper
  /** Those of the configuration. */
  readonly tenants: () => Iterable<string>
}): Segments & Trials {
  return {
    tenants: () => [...tenants()],
    status: () => keeper.status(),
    members: (tenant, name, after, limit) => keeper.members(tenant, name, after, limit),
    tryPart: (tenant, condition, after) => tryCondition(store, condition, { tenant, after, clock }),
    rest: () => new Promise((resolve) => clock.after(REST_MS, resolve)),
  }
}
