import { listing } from '../../src/demo/listed.ts'
import type { Respond } from '../../src/demo/scripted-server.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'

/** What Refiner's API tells of the time before, with invented people. */

const DAY_MS = 86_400_000
const HISTORY_BEGINS = Date.UTC(2023, 0, 1)

interface PastOptions {
  readonly everyMs?: number
  readonly users?: number
  /** When the first one was completed, in ms since 1970. */
  readonly begins?: number
}

/** The webhook that Refiner sent, or would have sent, for response `n` of one that was completed each `everyMs`. */
export function pastWebhook(
  n: number,
  { everyMs = DAY_MS / 20, users = 10, begins = HISTORY_BEGINS }: PastOptions = {},
): Record<string, unknown> {
  const at = new Date(begins + n * everyMs).toISOString().replace('Z', '000Z')
  const user = n % users
  const base = completedSurvey()
  return {
    ...base,
    uuid: `00000000-0000-4000-8000-${String(user).padStart(12, '0')}`,
    remote_id: `user-${user}`,
    email: `user-${user}@example.com`,
    response: {
      ...(base['response'] as object),
      uuid: `10000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      first_shown_at: at,
      last_shown_at: at,
      first_data_reception_at: at,
      last_data_reception_at: at,
      completed_at: at,
      received_at: at,
      data: { nps: String(n % 11), comment: `comment ${n}` },
    },
  }
}

/** The same response as the API lists it: other moments' form, and the contact inside. */
export function pastItem(n: number, options?: PastOptions): Record<string, unknown> {
  const {
    response,
    form,
    triggered_event: _,
    segments: __,
    project_uuid: ___,
    ...contact
  } = pastWebhook(n, options)
  const fields = Object.entries(response as Record<string, unknown>).map(([name, value]) => [
    name,
    name.endsWith('_at') && typeof value === 'string' ? value.slice(0, 19).replace('T', ' ') : value,
  ])
  return { ...(Object.fromEntries(fields) as object), form, contact }
}

export interface HistoryOptions {
  readonly contacts?: readonly Record<string, unknown>[]
  /** Asked before each answer, as a stand-in's `respond` is. */
  readonly fault?: Respond
}

/** Answers `GET /responses` and `GET /contacts` as Refiner does, newest first; lets everything else through. */
export function history(items: readonly Record<string, unknown>[], options: HistoryOptions = {}): Respond {
  const listed = listing({ responses: items, contacts: options.contacts ?? [] })
  return async (request) => {
    if (request.method !== 'GET') return null
    return (await options.fault?.(request)) ?? listed(request)
  }
}
