import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../contracts/clock.ts'
import type { Tenant } from '../contracts/configuration.ts'
import type { DeadFacts, Facts, TenantFacts, TenantSettingsFacts } from '../contracts/diagnosis.ts'
import type { Health } from '../contracts/health.ts'
import type { Store } from '../store/open.ts'
import { hasManyEvents, itemsBefore, newestDead, storedOf } from '../store/recent-items.ts'
import { faultWords } from '../store/fault-words.ts'
import { TenantSample } from './tenant-sample.ts'

/** So many items are read at a step, for so long at most; in between, everything else has its turn. */
const ITEMS_AT_ONCE = 100
const STEP_MS = 4
const REST_MS = 2
const MOST_ITEMS = 50_000
const MOST_DEAD = 200
const MOST_REASONS = 10

export interface DiagnosisParts {
  readonly store: Store
  readonly clock: Clock
  readonly health: () => Health
  /** What is turned away. */
  readonly full: () => Facts['full']
  readonly databasePath: string
  readonly tenants: () => ReadonlyMap<string, Tenant>
  readonly clockAheadMs: (tenant: string, destination: 'segment' | 'refiner') => number | null
  readonly isStopping: () => boolean
}

type OwnFacts = Omit<Facts, 'intake'>

/** Gathers what `doctor` judges by, in steps of some milliseconds. */
export class Diagnosis {
  #gathering: Promise<OwnFacts | null> | null = null

  constructor(private readonly parts: DiagnosisParts) {}

  /** Null when the program stops meanwhile. Whoever asks while facts are gathered gets the same ones. */
  facts(): Promise<OwnFacts | null> {
    this.#gathering ??= this.#gather().finally(() => (this.#gathering = null))
    return this.#gathering
  }

  async #gather(): Promise<OwnFacts | null> {
    const { clock, health, tenants: configured } = this.parts
    const tenants = configured()
    const at = clock.now()
    const base = {
      at: new Date(at).toISOString(),
      health: health(),
      full: this.parts.full(),
      disk_free_bytes: await freeBytes(this.parts.databasePath),
    }
    const samples = new Map([...tenants.keys()].map((name) => [name, new TenantSample(at)]))
    const facts: Record<string, TenantFacts> = {}
    let looked = 0
    let unread: string | null = null
    try {
      const walked = await this.#walk(samples)
      if (walked === null) return null
      looked = walked
      for (const tenant of tenants.values()) {
        if (this.parts.isStopping()) return null
        facts[tenant.name] = await this.#factsOf(tenant, samples.get(tenant.name)!)
      }
    } catch (error) {
      // What is asked because the database fails must be answered although it does.
      unread = faultWords(error)
    }
    return { ...base, looked_at_items: looked, unread, tenants: facts }
  }

  /** Goes through the newest items; answers how many, or null when the program stops. */
  async #walk(samples: ReadonlyMap<string, TenantSample>): Promise<number | null> {
    const { store, clock, isStopping } = this.parts
    let before = Number.MAX_SAFE_INTEGER
    for (let looked = 0; looked < MOST_ITEMS; await this.#rest()) {
      if (isStopping()) return null
      const until = clock.elapsed() + STEP_MS
      const items = itemsBefore(store, { before, limit: ITEMS_AT_ONCE })
      if (items.length === 0) return looked
      for (const item of items) {
        samples.get(item.tenant)?.take(store, item)
        before = item.id
        looked += 1
        if (clock.elapsed() >= until) break
      }
    }
    return MOST_ITEMS
  }

  async #factsOf(tenant: Tenant, sample: TenantSample): Promise<TenantFacts> {
    const { store, clockAheadMs } = this.parts
    const { name } = tenant
    const storedRefiner = storedOf(store, name, 'refiner_webhook')
    const storedSegment = storedOf(store, name, 'segment')
    await this.#rest()
    const deadAtSegment = this.#deadOf(name, 'segment')
    await this.#rest()
    const deadAtRefiner = this.#deadOf(name, 'refiner')
    await this.#rest()
    return {
      settings: settingsOf(tenant),
      from_refiner: sample.source('refiner_webhook', storedRefiner),
      from_segment: sample.source('segment', storedSegment),
      user_ids: sample.userIds(hasManyEvents(store, name)),
      dead: [...deadAtSegment, ...deadAtRefiner].toSorted((a, b) => b.deliveries - a.deliveries),
      clock_ahead_ms: { segment: clockAheadMs(name, 'segment'), refiner: clockAheadMs(name, 'refiner') },
    }
  }

  #deadOf(tenant: string, destination: 'segment' | 'refiner'): DeadFacts[] {
    const groups = new Map<string, DeadFacts>()
    for (const { id, reason, settledAt } of newestDead(this.parts.store, {
      tenant,
      destination,
      limit: MOST_DEAD,
    })) {
      const known = groups.get(reason)
      const made = {
        destination,
        reason,
        deliveries: 0,
        last: new Date(settledAt).toISOString(),
        example: id,
      }
      groups.set(reason, { ...(known ?? made), deliveries: (known?.deliveries ?? 0) + 1 })
    }
    return [...groups.values()].toSorted((a, b) => b.deliveries - a.deliveries).slice(0, MOST_REASONS)
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => this.parts.clock.after(REST_MS, resolve))
  }
}

function settingsOf({ enabled, refiner, segment, toSegment, toRefiner }: Tenant): TenantSettingsFacts {
  const { webhook } = refiner
  return {
    enabled,
    to_segment: toSegment.enabled,
    to_refiner: toRefiner.enabled,
    webhook: webhook === null ? null : { in: webhook.in, name: 'name' in webhook ? webhook.name : null },
    poll_ms: refiner.pollMs,
    anonymous: toSegment.anonymous,
    surveys: toSegment.surveys,
    segment_endpoint: segment.endpoint,
    refiner_endpoint: refiner.endpoint,
    destination_keys: segment.destinationKeys.length,
    signed: segment.sharedSecret !== null,
  }
}

async function freeBytes(databasePath: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dirname(databasePath))
    return bavail * bsize
  } catch {
    return null
  }
}
