import { Counter, Gauge, Registry } from 'prom-client'
import type { Destination } from '../contracts/delivery.ts'
import type { BackfillHealth, Health } from '../contracts/health.ts'

/** The numbers behind GET /metrics, but for those of intake, in Prometheus' text form. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #settled = this.#counter('deliveries_total', 'What deliveries and attempts at them came to.', [
    'tenant',
    'destination',
    'result',
  ])
  readonly #reloads = this.#counter('reloads_total', 'How often the configuration was read again.', [
    'result',
  ])
  readonly #configuration = new Gauge({
    name: 'refiner_sync_configuration_ok',
    help: '1 while the configuration in force is that of the file.',
    registers: [this.#registry],
  })
  readonly #ruleFailures = this.#counter('rule_failures_total', 'Items that a mapping rule failed on.', [
    'tenant',
  ])
  readonly #pending = this.#gauge('pending', 'Deliveries that wait or are under way.')
  readonly #oldest = this.#gauge('oldest_pending_age_seconds', 'Age of the oldest of them; 0 without any.')
  readonly #dead = this.#gauge('dead', 'Deliveries that were given up and are kept.')
  readonly #open = this.#gauge('circuit_open', '1 while the destination is down and only probes are sent.')
  readonly #missed = this.#tenantGauge(
    'missed_by_webhook',
    'Interactions that polling brought, and no webhook.',
  )
  readonly #polled = this.#tenantGauge(
    'last_poll_timestamp_seconds',
    'When the last poll of Refiner came to its end; 0 before the first.',
  )
  readonly #backfillRunning = this.#tenantGauge('backfill_running', '1 while a backfill runs.')
  readonly #backfillRemaining = this.#tenantGauge(
    'backfill_remaining_responses',
    'Responses that the last backfill has still to read, by what Refiner said when it began.',
  )
  readonly #backfillResponses = this.#tenantGauge(
    'backfill_responses',
    'What became of the responses that the last backfill read.',
    'outcome',
  )
  readonly #backfillMessages = this.#tenantGauge(
    'backfill_messages',
    'What became of the messages of the last backfill.',
    'outcome',
  )
  readonly #members = this.#tenantGauge('segment_members', 'How many users are in a segment.', 'segment')
  readonly #up = new Gauge({
    name: 'refiner_sync_database_up',
    help: '1 while the database takes writes.',
    registers: [this.#registry],
  })

  ruleFailed(tenant: string): void {
    this.#ruleFailures.inc({ tenant })
  }

  settled(
    tenant: string,
    destination: Destination,
    result: 'delivered' | 'dead' | 'retry' | 'skipped',
    count = 1,
  ): void {
    this.#settled.inc({ tenant, destination, result }, count)
  }

  reloaded(result: 'ok' | 'rejected'): void {
    this.#reloads.inc({ result })
  }

  readonly contentType: string = this.#registry.contentType

  /** All metrics as text; the gauges are those of `health`. */
  async text(health: Health): Promise<string> {
    this.#up.set(health.database.status === 'ok' ? 1 : 0)
    const { status, needs_restart } = health.configuration
    this.#configuration.set(status === 'ok' && needs_restart.length === 0 ? 1 : 0)
    // Tenants come and go.
    for (const gauge of [this.#pending, this.#oldest, this.#dead, this.#open, this.#missed, this.#polled]) {
      gauge.reset()
    }
    for (const gauge of [this.#backfillRunning, this.#backfillRemaining]) gauge.reset()
    for (const gauge of [this.#backfillResponses, this.#backfillMessages, this.#members]) gauge.reset()
    for (const [tenant, { destinations, polling, backfill, segments }] of Object.entries(health.tenants)) {
      if (backfill !== null) this.#setBackfill(tenant, backfill)
      if (polling !== null) {
        this.#missed.set({ tenant }, polling.missed_by_webhook)
        this.#polled.set({ tenant }, Date.parse(polling.last_success ?? '1970-01-01T00:00:00Z') / 1000)
      }
      for (const [segment, { members }] of Object.entries(segments)) {
        this.#members.set({ tenant, segment }, members)
      }
      for (const [destination, lane] of Object.entries(destinations)) {
        this.#pending.set({ tenant, destination }, lane.pending)
        this.#oldest.set({ tenant, destination }, lane.oldest_pending_age_seconds ?? 0)
        this.#dead.set({ tenant, destination }, lane.dead)
        const isOpen = lane.state === 'open' || lane.state === 'half_open'
        this.#open.set({ tenant, destination }, isOpen ? 1 : 0)
      }
    }
    return this.#registry.metrics()
  }

  #setBackfill(tenant: string, { state, remaining, responses, messages }: BackfillHealth): void {
    this.#backfillRunning.set({ tenant }, state === 'running' ? 1 : 0)
    if (remaining !== null) this.#backfillRemaining.set({ tenant }, remaining)
    const { read: _, ...outcomes } = responses
    for (const [outcome, count] of Object.entries(outcomes)) {
      this.#backfillResponses.set({ tenant, outcome }, count)
    }
    for (const [outcome, count] of Object.entries(messages)) {
      this.#backfillMessages.set({ tenant, outcome }, count)
    }
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `refiner_sync_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string): Gauge {
    return this.#tenantGauge(name, help, 'destination')
  }

  #tenantGauge(name: string, help: string, ...more: string[]): Gauge {
    const labelNames = ['tenant', ...more]
    return new Gauge({ name: `refiner_sync_${name}`, help, labelNames, registers: [this.#registry] })
  }
}
