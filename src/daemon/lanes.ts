import type { AskedPause } from '../clients/asked-pause.ts'
import type { Fetch } from '../clients/http-post.ts'
import type { PeerClocks } from '../clients/peer-clocks.ts'
import { RefinerRestReader } from '../clients/refiner-reader.ts'
import { RefinerRest } from '../clients/refiner-rest.ts'
import { SegmentTracking } from '../clients/segment-tracking.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Configuration, DeliverySettings, Tenant } from '../contracts/configuration.ts'
import type { Destination, Sender } from '../contracts/delivery.ts'
import type { RefinerReader } from '../contracts/refiner-reader.ts'
import { Lane, type LaneParts } from '../dispatch/lane.ts'
import { LaneConduct } from '../dispatch/lane-conduct.ts'
import { RateLimiter } from '../dispatch/rate-limiter.ts'

/** All that a lane depends on: as long as it stays the same, the lane stays, with its pauses and what it is sending. */
interface LanePlan {
  readonly tenant: string
  readonly destination: Destination
  readonly endpoint: string
  readonly key: string
  readonly requestsPerSecond: number
  readonly delivery: DeliverySettings
}

/** What a lane was made of. */
interface Made {
  readonly plan: LanePlan
  readonly conduct: LaneConduct
  readonly rate: RateLimiter
}

export interface LaneMakerParts extends Pick<LaneParts, 'store' | 'clock' | 'random' | 'onSettled'> {
  readonly onError: (doing: string) => (error: unknown) => void
  /** Told by each answer what time it is there. */
  readonly peerClocks: PeerClocks
}

/** Makes the lanes of a configuration. */
export class LaneMaker {
  readonly #made = new WeakMap<Lane, Made>()

  constructor(private readonly parts: LaneMakerParts) {}

  /** The lanes for a configuration: those of `present` that fit as they are, and new ones, which are not started. */
  lanesFor(configuration: Configuration, present: readonly Lane[]): Lane[] {
    const known = new Map(present.map((lane) => [wayOf(lane), lane]))
    return planLanes(configuration).map((plan) => {
      const lane = known.get(wayOf(plan))
      const made = lane === undefined ? undefined : this.#made.get(lane)
      return lane !== undefined && Bun.deepEquals(made?.plan, plan) ? lane : this.#make(plan, made)
    })
  }

  /** What bounds the requests of a lane; null where there is no lane. */
  rateOf(lane: Lane | undefined): RateLimiter | null {
    return lane === undefined ? null : (this.#made.get(lane)?.rate ?? null)
  }

  /** A lane that takes the place of another one to the same account knows what the destination last asked of that. */
  #make(plan: LanePlan, before?: Made): Lane {
    const { onError, peerClocks, ...shared } = this.parts
    const { tenant, destination, delivery: settings, requestsPerSecond } = plan
    const isSameAccount = before?.plan.endpoint === plan.endpoint && before.plan.key === plan.key
    const conduct = isSameAccount ? before.conduct : new LaneConduct(settings, shared.clock, shared.random)
    conduct.adopt(settings)
    const rate =
      isSameAccount && before.plan.requestsPerSecond === requestsPerSecond
        ? before.rate
        : new RateLimiter(requestsPerSecond, shared.clock)
    const lane = new Lane(tenant, destination, {
      ...shared,
      settings,
      conduct,
      rate,
      sender: createSender(plan, rate, shared.clock, peerClocks.watching(wayOf(plan), fetch)),
      onError: onError(`delivering to ${destination} for ${tenant}`),
    })
    this.#made.set(lane, { plan, conduct, rate })
    return lane
  }
}

function planLanes({ tenants, delivery }: Configuration): LanePlan[] {
  return [...tenants.values()].flatMap((tenant) => planTenant(tenant, delivery))
}

function planTenant({ name: tenant, segment, refiner }: Tenant, delivery: DeliverySettings): LanePlan[] {
  const plans: LanePlan[] = []
  if (segment.writeKey !== '') {
    const { endpoint, writeKey: key, requestsPerSecond } = segment
    plans.push({ tenant, destination: 'segment', endpoint, key, requestsPerSecond, delivery })
  }
  if (refiner.apiKey !== '') {
    const { endpoint, apiKey: key, requestsPerSecond } = refiner
    plans.push({ tenant, destination: 'refiner', endpoint, key, requestsPerSecond, delivery })
  }
  return plans
}

function createSender(
  { destination, endpoint, key, delivery: { timeoutMs } }: LanePlan,
  rate: RateLimiter,
  clock: Clock,
  fetch: Fetch,
): Sender {
  const turn = (signal: AbortSignal) => waitUnless(signal, rate.take(), clock)
  const parts = { endpoint, key, timeoutMs, fetch, clock, turn }
  switch (destination) {
    case 'segment':
      return new SegmentTracking(parts)
    case 'refiner':
      return new RefinerRest(parts)
  }
}

/** Reading gets this part of the tenant's rate at most, so that deliveries go on. */
const READING_PART = 0.25

/** Reads a tenant's Refiner account within its rate; `rate` is that of the lane which delivers to it, if there is one. */
export function createReader(
  { refiner }: Tenant,
  {
    timeoutMs,
    clock,
    pause,
    rate,
  }: { timeoutMs: number; clock: Clock; pause: AskedPause; rate: () => RateLimiter | null },
): RefinerReader {
  const { endpoint, apiKey: key, requestsPerSecond } = refiner
  const own = new RateLimiter(requestsPerSecond * READING_PART, clock)
  const turn = async (signal: AbortSignal) =>
    (await waitUnless(signal, own.take(), clock)) && waitUnless(signal, rate()?.take() ?? 0, clock)
  return new RefinerRestReader({ endpoint, key, timeoutMs, fetch, clock, turn, pause })
}

/** A tenant's way to a destination, as one word. */
export function wayOf({ tenant, destination }: Pick<LanePlan, 'tenant' | 'destination'>): string {
  return `${destination} ${tenant}`
}

/** Whether `ms` milliseconds passed before the signal came. */
export function waitUnless(signal: AbortSignal, ms: number, clock: Clock): Promise<boolean> {
  if (signal.aborted || ms === 0) return Promise.resolve(!signal.aborted)
  return new Promise((resolve) => {
    const stop = () => {
      cancel()
      resolve(false)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
