import type { Clock } from '../../src/contracts/clock.ts'
import type { SegmentChange, SegmentDefinition } from '../../src/contracts/segments.ts'
import { SegmentKeeper } from '../../src/segments/keeper.ts'
import type { PeopleChange } from '../../src/contracts/people.ts'
import { silentLog } from '../../src/observe/log.ts'
import type { Store } from '../../src/store/open.ts'
import { applyPeopleChanges } from '../../src/store/record-mapped.ts'
import { testTenant } from './configuration.ts'
import { type HandClock, handClock } from './hand-clock.ts'

/** A segment that tells nobody unless it is said. */
export function definition(
  name: string,
  condition: string,
  told: Partial<SegmentDefinition> = {},
): SegmentDefinition {
  return { name, condition, refinerSegment: null, trait: null, enteredEvent: null, leftEvent: null, ...told }
}

/** A keeper of segments on a database, whose time passes as it is told to. */
export interface KeptSegments {
  readonly keeper: SegmentKeeper
  readonly clock: HandClock
  /** What arrives of people, at that moment. */
  keep(changes: readonly PeopleChange[], at?: number): void
  /** The keeper does all that is to be done. */
  settle(): void
  configure(tenants: Readonly<Record<string, readonly SegmentDefinition[]>>): void
  members(name: string, tenant?: string): string[]
  told(): SegmentChange[]
}

/** A new one, as after a start of the program. */
export function keepSegments(
  store: Store,
  first: Readonly<Record<string, readonly SegmentDefinition[]>>,
  over: {
    tenant?: string
    waiting?: (tenant: string) => number
    mostPending?: () => number
    /** How long each look at the clock takes. */
    slowMs?: number
  } = {},
): KeptSegments {
  const clock = handClock()
  const own = over.tenant ?? 'acme'
  const keeper = new SegmentKeeper({
    store,
    clock: over.slowMs === undefined ? clock : slow(clock, over.slowMs),
    log: silentLog,
    onError(error) {
      throw error
    },
    wakeMapper() {},
    isFlooded: () => false,
    waiting: over.waiting ?? (() => 0),
    mostPending: over.mostPending ?? (() => Infinity),
  })
  const tenantsOf = (all: typeof first) =>
    new Map(Object.entries(all).map(([name, segments]) => [name, testTenant(name, { segments })]))
  keeper.start(tenantsOf(first))
  return {
    keeper,
    clock,
    keep(changes, at = clock.now()) {
      store.relaxedTransaction(() => {
        applyPeopleChanges(store, { tenant: own, receivedAt: at }, changes)
      })
      keeper.wake()
    },
    settle: () => clock.pass(10_000),
    configure: (all) => keeper.replace(tenantsOf(all)),
    members: (name, tenant = own) => keeper.members(tenant, name, '', 1_000_000)!.map(({ userId }) => userId),
    told: () =>
      store.sqlite
        .query<{ payload: string }, [string]>(
          `select payload from inbox where tenant = ? and dedup_key glob 'segment-change-*' order by id`,
        )
        .all(own)
        .map(({ payload }) => JSON.parse(payload) as SegmentChange),
  }
}

/** A clock by which all that is done takes long. */
function slow(clock: HandClock, ms: number): Clock {
  let spent = 0
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed() + (spent += ms),
    after: (delay, work) => clock.after(delay, work),
  }
}
