import type { Log } from '../observe/log.ts'
import type { Refusal } from './refusal.ts'

/** At most this often for each route, tenant and status: anybody can send what is refused. */
const EVERY_MS = 60_000
const MOST_HEADERS = 40
const LONGEST_HEADER = 60

/** Says in the log what was refused, so that a webhook that is set up wrongly does not fail in silence. */
export class RefusalLog {
  readonly #last = new Map<string, { at: number; unsaid: number }>()

  constructor(private readonly log: Log) {}

  /**
   * `tenant` is null when it is not known here. The names of the headers, not what is in them, tell where a caller puts its
   * secret.
   */
  note(route: string, tenant: string | null, { status, message }: Refusal, request: Request): void {
    const key = `${route} ${tenant} ${status}`
    const last = this.#last.get(key)
    const now = performance.now()
    if (last !== undefined && now - last.at < EVERY_MS) {
      last.unsaid += 1
      return
    }
    this.#last.set(key, { at: now, unsaid: 0 })
    const headers = [...request.headers.keys()]
      .slice(0, MOST_HEADERS)
      .map((name) => name.slice(0, LONGEST_HEADER))
    const fields = {
      route,
      ...(tenant !== null && { tenant }),
      status,
      reason: message,
      headers: headers.join(' '),
      more_since: last?.unsaid ?? 0,
    }
    this.log.warn(fields, 'refused')
  }
}
