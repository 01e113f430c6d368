import { Connection } from './connection.ts'
import { type LoadPlan, type LoadResult, quantiles } from './plan.ts'
import { type RequestBytes, requestMaker } from './requests.ts'
import { type SinkCounts, sinkCounts, sinkTracks } from './sink-counts.ts'

/** How often the sink is asked how much has arrived, where that bounds what is sent. */
const COUNT_EVERY_MS = 5
/** The longest that what was acknowledged may take to arrive after the load has ended. */
const LONGEST_ARRIVAL_MS = 10_000

interface Slot {
  readonly connection: Connection
  readonly request: RequestBytes
  /** The response that the request under way is about. */
  id: string
  /** When it was sent, or should have been. */
  since: number
}

/** Puts load on a server as planned, and says how it fared. */
export class Load {
  readonly #idle: Slot[] = []
  readonly #slots = new Map<Connection, Slot>()
  readonly #answerMs: number[] = []
  /** When each was acknowledged, in ms since 1970. */
  readonly #acknowledged = new Map<string, number>()
  #sent = 0
  #measuring = false
  #stopped = false
  /** How many may have been sent by now. */
  #allowed = Infinity
  /** When the requests that have no connection yet should have been sent. */
  readonly #overdue: number[] = []
  readonly #fault = Promise.withResolvers<never>()

  constructor(private readonly plan: LoadPlan) {}

  async run(): Promise<LoadResult> {
    const work = this.#run()
    try {
      return await Promise.race([work, this.#fault.promise])
    } finally {
      this.#stopped = true
      for (const connection of this.#slots.keys()) connection.close()
    }
  }

  async #run(): Promise<LoadResult> {
    const { plan } = this
    await this.#connect()
    const already = (await this.#counts()).webhooks
    if (plan.mostUndelivered !== null) void this.#boundUndelivered(plan.mostUndelivered, already)
    if (plan.perSecond !== null) void this.#sendSteadily(plan.perSecond)
    else for (const slot of this.#idle.splice(0)) this.#next(slot)
    await Bun.sleep(plan.warmUpMs)
    const before = await this.#counts()
    const start = performance.now()
    this.#measuring = true
    await Bun.sleep(plan.measureMs)
    const after = await this.#counts()
    const seconds = (performance.now() - start) / 1000
    this.#measuring = false
    this.#stopped = true
    if (this.#answerMs.length === 0)
      throw new Error(`${plan.url} answered nothing within ${plan.measureMs} ms`)
    return {
      perSecond: this.#answerMs.length / seconds,
      answerMs: quantiles([...this.#answerMs, ...this.#stillWaiting()]),
      deliveredPerSecond: (after.webhooks - before.webhooks) / seconds,
      messagesPerSecond: (after.messages - before.messages) / seconds,
      arrivalMs: plan.waitForArrivals ? quantiles(await this.#arrivals()) : null,
    }
  }

  async #connect(): Promise<void> {
    const { plan } = this
    const url = new URL(plan.url)
    const run = crypto.getRandomValues(new Uint32Array(1))[0]!
    const make = requestMaker(url, plan.headers, plan.body, run)
    for (let n = 0; n < plan.connections; n++) {
      const connection = await Connection.open(url, this.#answered, (error) => {
        if (!this.#stopped) this.#fault.reject(error)
      })
      const slot = { connection, request: make(), id: '', since: 0 }
      this.#slots.set(connection, slot)
      this.#idle.push(slot)
    }
  }

  readonly #answered = (connection: Connection, status: number) => {
    const slot = this.#slots.get(connection)!
    if (status !== 200) return this.#fault.reject(new Error(`${this.plan.url} answered ${status}`))
    if (this.#measuring) {
      const now = performance.now()
      this.#answerMs.push(now - slot.since)
      if (this.plan.waitForArrivals) this.#acknowledged.set(slot.id, performance.timeOrigin + now)
    }
    this.#next(slot)
  }

  #next(slot: Slot): void {
    if (this.#stopped) return
    if (this.plan.perSecond === null) {
      if (this.#sent >= this.#allowed) this.#idle.push(slot)
      else this.#send(slot, performance.now())
      return
    }
    const since = this.#overdue.shift()
    if (since === undefined) this.#idle.push(slot)
    else this.#send(slot, since)
  }

  #send(slot: Slot, since: number): void {
    slot.since = since
    slot.id = slot.request.number(this.#sent++)
    slot.connection.send(slot.request.bytes)
  }

  /** A timer rings late: all that is due by then is sent, and its delay counts from when it was due. */
  async #sendSteadily(perSecond: number): Promise<void> {
    const start = performance.now()
    for (let n = 0; !this.#stopped; n++) {
      const due = start + (n * 1000) / perSecond
      while (performance.now() < due) await Bun.sleep(1)
      const slot = this.#idle.pop()
      if (slot === undefined) this.#overdue.push(due)
      else this.#send(slot, due)
    }
  }

  async #boundUndelivered(most: number, already: number): Promise<void> {
    this.#allowed = most
    while (!this.#stopped) {
      await Bun.sleep(COUNT_EVERY_MS)
      this.#allowed = (await this.#counts()).webhooks - already + most
      while (this.#sent < this.#allowed && this.#idle.length > 0)
        this.#send(this.#idle.pop()!, performance.now())
    }
  }

  /** How long what is not answered has waited by now: left out, the worst would not count. In ms. */
  #stillWaiting(): number[] {
    const now = performance.now()
    const idle = new Set(this.#idle)
    const underWay = [...this.#slots.values()].filter((slot) => !idle.has(slot)).map(({ since }) => since)
    return [...underWay, ...this.#overdue].map((since) => now - since)
  }

  #counts(): Promise<SinkCounts> {
    const { sink } = this.plan
    return sink === null ? Promise.resolve({ webhooks: 0, messages: 0 }) : sinkCounts(sink)
  }

  async #arrivals(): Promise<number[]> {
    if (this.#acknowledged.size === 0) throw new Error('nothing was acknowledged')
    const end = performance.now() + LONGEST_ARRIVAL_MS
    for (;;) {
      const tracks = await sinkTracks(this.plan.sink!)
      const missing = [...this.#acknowledged.keys()].filter((id) => tracks[id] === undefined)
      if (missing.length === 0) {
        return [...this.#acknowledged].map(([id, at]) => Math.max(0, tracks[id]! - at))
      }
      if (performance.now() > end) throw new Error(`${missing.length} acknowledged webhooks did not arrive`)
      await Bun.sleep(50)
    }
  }
}
