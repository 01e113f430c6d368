import type { BackfillCursor, BackfillPreview, BackfillWish, PreviewAnswer } from '../contracts/backfill.ts'
import type { Clock } from '../contracts/clock.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import type { Mapped } from '../mapping/map-item.ts'
import { mapItems } from '../mapping/map-items.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import type { TenantMapping } from '../mapping/tenant-mapping.ts'
import { hasInboxItem, hasMessage } from '../store/backfills.ts'
import { PageTrail } from '../polling/page-trail.ts'
import type { Store } from '../store/open.ts'
import { knownAs } from './is-known.ts'
import { PAGE_LENGTH, readPage } from './read-page.ts'
import type { BackfillSource } from './source.ts'
import { toldBy } from './told-by.ts'
import { afterPage, firstCursor, isAtEnd, narrowed } from './windows.ts'

/** Mapped in one go, then everything else has its turn. */
const MAPPED_AT_ONCE = 20
const REST_MS = 2
const SAMPLES = 5
/** So many pages are read for one answer: days in which nothing happened make many short ones. */
const PAGES_AT_ONCE = 40

export interface PreviewParts {
  readonly store: Store
  readonly clock: Clock
  readonly source: BackfillSource
  /** Null for a tenant that the configuration does not name. */
  readonly mapping: (tenant: string) => { mapping: TenantMapping; plugins: PluginHost } | null
}

/** Says what a part of a backfill would come to, from `start` on; changes nothing. */
export async function preview(
  { tenant, filter: wanted, mode }: BackfillWish,
  start: BackfillCursor | null,
  parts: PreviewParts,
): Promise<PreviewAnswer> {
  const { source, clock } = parts
  const filter = { ...wanted, contacts: false }
  const sum = new Sum()
  let cursor = start ?? firstCursor(filter)
  let total: number | null = null
  let trail = new PageTrail()
  for (let pages = 0; pages < PAGES_AT_ONCE && sum.read < PAGE_LENGTH; pages += 1) {
    const reader = source.reader(tenant)
    const mapped = parts.mapping(tenant)
    if (reader === null || mapped === null) {
      return {
        ok: false,
        why: `nothing can be read for the tenant ${tenant}: refiner-sync.yaml does not name it, has it switched off, or has no refiner.api_key for it`,
      }
    }
    if (isAtEnd(cursor, filter)) break
    // A part that goes on has been told how many there are.
    const asksTotal = start === null && pages === 0
    const wish = { cursor, filter, asksTotal, kinds: source.kinds(tenant) }
    const page = await readPage(reader, wish, AbortSignal.timeout(25_000))
    if (!page.ok) return { ok: false, why: `reading from Refiner: ${page.reason}` }
    total = page.whole ?? total
    const fewer = narrowed(cursor, page, PAGE_LENGTH)
    if (fewer !== null) {
      cursor = fewer
      continue
    }
    for (let from = 0; from < page.items.length; from += MAPPED_AT_ONCE) {
      const some = page.items.slice(from, from + MAPPED_AT_ONCE)
      await sum.add(some, { tenant, filter, isSent: mode === 'to-segment', ...mapped }, parts)
      await new Promise<void>((resolve) => clock.after(REST_MS, resolve))
    }
    if (cursor.page === null) trail = new PageTrail()
    const leadsOn = trail.after(page, cursor.page) === 'on'
    const nextCursor = leadsOn ? page.nextCursor : null
    cursor = afterPage(cursor, { ...page, nextCursor }, filter, PAGE_LENGTH)
  }
  const next = isAtEnd(cursor, filter) ? null : cursor
  return { ok: true, preview: sum.told(total, next) }
}

interface Mapping {
  readonly tenant: string
  readonly filter: BackfillWish['filter']
  readonly isSent: boolean
  readonly mapping: TenantMapping
  readonly plugins: PluginHost
}

class Sum {
  read = 0
  readonly #counts = { taken: 0, known: 0, forgotten: 0, leftOut: 0, copies: 0, skipped: 0, dead: 0 }
  readonly #interactions = new Map<string, number>()
  readonly #messages = new Map<string, number>()
  readonly #surveys = new Map<string, { interactions: number; messages: number }>()
  readonly #samples: unknown[] = []

  async add(items: readonly JsonObject[], how: Mapping, { store, source, clock }: PreviewParts) {
    const { tenant } = how
    const payloads: string[] = []
    for (const item of items) {
      this.read += 1
      const told = toldBy(item, how, source)
      if (told.kind !== 'bodies') {
        this.#counts[told.kind] += 1
        continue
      }
      const fresh = told.bodies.filter((body) => isNew(store, tenant, body))
      this.#counts[fresh.length > 0 ? 'taken' : 'known'] += 1
      payloads.push(...fresh)
    }
    if (!how.isSent) return
    const receivedAt = clock.now()
    const inputs = payloads.map((payload) => ({
      id: 0,
      source: 'refiner_webhook' as const,
      payload,
      receivedAt,
    }))
    const mapped = await mapItems(inputs, how.mapping, how.plugins)
    inputs.forEach(({ payload }, index) => this.#addMapped(payload, mapped[index]!, store, tenant))
  }

  told(total: number | null, cursor: BackfillCursor | null): BackfillPreview {
    return {
      read: this.read,
      ...this.#counts,
      interactions: Object.fromEntries(this.#interactions),
      messages: Object.fromEntries(this.#messages),
      surveys: Object.fromEntries(this.#surveys),
      samples: this.#samples,
      total,
      cursor,
    }
  }

  #addMapped(payload: string, { deliveries }: Mapped, store: Store, tenant: string): void {
    const interaction = readRefinerWebhook(payload, 0)
    if ('unreadable' in interaction) return
    const { kind, survey } = interaction
    this.#interactions.set(kind, (this.#interactions.get(kind) ?? 0) + 1)
    const name = survey.name ?? survey.uuid ?? 'without a name'
    const ofSurvey = this.#surveys.get(name) ?? { interactions: 0, messages: 0 }
    ofSurvey.interactions += 1
    for (const { state, call, messageId, payload: message } of deliveries) {
      if (state !== 'pending') this.#counts[state] += 1
      else if (hasMessage(store, tenant, messageId)) this.#counts.copies += 1
      else {
        ofSurvey.messages += 1
        this.#messages.set(call, (this.#messages.get(call) ?? 0) + 1)
        if (this.#samples.length < SAMPLES) this.#samples.push(JSON.parse(message!))
      }
    }
    this.#surveys.set(name, ofSurvey)
  }
}

/** Whether it would be taken. */
function isNew(store: Store, tenant: string, body: string): boolean {
  const known = knownAs(store, tenant, body)
  return known !== null && !known.wentOut && !hasInboxItem(store, tenant, known.dedupKey)
}
