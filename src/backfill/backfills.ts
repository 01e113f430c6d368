import type { BackfillAnswer, BackfillRecord, BackfillStatus, BackfillWish } from '../contracts/backfill.ts'
import {
  beginBackfill,
  findBackfill,
  latestBackfill,
  listBackfills,
  moveBackfill,
  runningBackfills,
} from '../store/backfills.ts'
import { BackfillJob, type JobParts } from './job.ts'
import { firstCursor } from './windows.ts'

/** The backfills of the daemon: at most one of each tenant runs. */
export class Backfills {
  readonly #jobs = new Map<number, BackfillJob>()
  #running = false

  constructor(private readonly parts: Omit<JobParts, 'onEnd'>) {}

  /** Goes on with those that ran when the process ended. */
  start(): void {
    if (this.#running) return
    this.#running = true
    for (const record of runningBackfills(this.parts.store)) this.#run(record)
  }

  /** What is running goes on with the next start. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all([...this.#jobs.values()].map((job) => job.stop()))
    this.#jobs.clear()
  }

  begin({ tenant, by, filter, mode }: BackfillWish): BackfillAnswer {
    const { store, clock, log } = this.parts
    const refusal = this.#refusal(tenant)
    if (refusal !== null) return refusal
    const begun = { tenant, by, filter, mode, cursor: firstCursor(filter), now: clock.now() }
    const id = store.transaction(() => beginBackfill(store, begun))
    log.info({ backfill: id, tenant, by, mode }, 'a backfill begins')
    this.#run(findBackfill(store, id)!)
    return this.#answer(id)
  }

  /** Lets one wait until it is resumed; what it took goes on its way. */
  async pause(id: number): Promise<BackfillAnswer> {
    const { store, clock, log } = this.parts
    const job = this.#jobs.get(id)
    if (job === undefined) return this.#notIn(id, 'running')
    await job.stop()
    this.#jobs.delete(id)
    const moved = store.transaction(() =>
      moveBackfill(store, id, { from: 'running', to: 'paused', reason: null, now: clock.now() }),
    )
    if (moved) log.info({ backfill: id, tenant: job.record.tenant }, 'a backfill is paused')
    return this.#answer(id)
  }

  /** Goes on with one that is paused or has failed, from where it was. */
  resume(id: number): BackfillAnswer {
    const { store, clock, log } = this.parts
    const record = findBackfill(store, id)
    if (record === null) return unknown(id)
    const { tenant, state } = record
    if (state === 'running') return this.#answer(id)
    if (state === 'done') return refused(`backfill ${id} is done; start another one`)
    const refusal = this.#refusal(tenant)
    if (refusal !== null) return refusal
    store.transaction(() =>
      moveBackfill(store, id, { from: state, to: 'running', reason: null, now: clock.now() }),
    )
    log.info({ backfill: id, tenant }, 'a backfill goes on')
    this.#run(findBackfill(store, id)!)
    return this.#answer(id)
  }

  find(id: number): BackfillStatus | null {
    const record = this.#jobs.get(id)?.record ?? findBackfill(this.parts.store, id)
    return record === null ? null : this.#status(record)
  }

  /** The one of a tenant that runs, or else the last one; null when there was none. */
  latest(tenant: string): BackfillStatus | null {
    const running = [...this.#jobs.values()].find(({ record }) => record.tenant === tenant)
    const record = running?.record ?? latestBackfill(this.parts.store, tenant)
    return record === null ? null : this.#status(record)
  }

  /** The newest, newest first. */
  list(limit: number): BackfillStatus[] {
    return listBackfills(this.parts.store, limit).map((record) => this.#status(record))
  }

  /** Why none of this tenant may start now; null when one may. */
  #refusal(tenant: string): BackfillAnswer | null {
    if (this.parts.source.reader(tenant) === null) {
      return refused(
        `nothing can be read for the tenant ${tenant}: refiner-sync.yaml does not name it, has it switched off, or has no refiner.api_key for it`,
      )
    }
    const other = [...this.#jobs.values()].find(({ record }) => record.tenant === tenant)
    if (other === undefined) return null
    const { id } = other.record
    return refused(`backfill ${id} of this tenant is running; watch it with --resume, or pause it first`)
  }

  #notIn(id: number, state: string): BackfillAnswer {
    const record = findBackfill(this.parts.store, id)
    return record === null ? unknown(id) : refused(`backfill ${id} is ${record.state}, not ${state}`)
  }

  #run(record: BackfillRecord): void {
    const job = new BackfillJob(record, { ...this.parts, onEnd: (id) => this.#jobs.delete(id) })
    this.#jobs.set(record.id, job)
    if (this.#running) job.start()
  }

  #answer(id: number): BackfillAnswer {
    const status = this.find(id)
    return status === null ? unknown(id) : { ok: true, status }
  }

  #status(record: BackfillRecord): BackfillStatus {
    return { record, waitingFor: this.#jobs.get(record.id)?.waitingFor ?? null }
  }
}

function unknown(id: number): BackfillAnswer {
  return { ok: false, kind: 'unknown', why: `there is no backfill ${id}` }
}

function refused(why: string): BackfillAnswer {
  return { ok: false, kind: 'refused', why }
}
