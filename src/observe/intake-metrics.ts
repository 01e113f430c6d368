import { Counter, Histogram, Registry } from 'prom-client'
import type { Source } from '../contracts/inbox.ts'

/** The numbers of intake, in the thread that speaks HTTP; the others are in `Metrics`. */
export class IntakeMetrics {
  readonly #registry = new Registry()
  readonly #accepted = this.#counter('accepted_total', 'Items kept on disk and acknowledged.', [
    'tenant',
    'source',
  ])
  readonly #duplicates = this.#counter('duplicates_total', 'Items that were there already.', [
    'tenant',
    'source',
  ])
  readonly #answers = this.#counter('http_answers_total', 'Answers given to requests.', ['route', 'status'])
  readonly #delay = new Histogram({
    name: 'refiner_sync_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.#registry],
  })

  accepted(tenant: string, source: Source, stored: number, duplicates: number): void {
    if (stored > 0) this.#accepted.inc({ tenant, source }, stored)
    if (duplicates > 0) this.#duplicates.inc({ tenant, source }, duplicates)
  }

  answered(route: string, status: number, seconds: number): void {
    this.#answers.inc({ route, status })
    this.#delay.observe({ route }, seconds)
  }

  /** In Prometheus' text form. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `refiner_sync_${name}`, help, labelNames, registers: [this.#registry] })
  }
}
